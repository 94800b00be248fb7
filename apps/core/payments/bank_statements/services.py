"""Imports what the bank says. The books are read and never changed by it."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from itertools import islice

from django.utils import timezone
from uuid_utils.compat import uuid7

from core.environment import ENVIRONMENT
from etebar_common.bank_account import mask_account
from etebar_common.fingerprint import account_fingerprint
from payments.audit.services import Actor, record
from payments.bank_statements.files import parse_statement
from payments.bank_statements.form import Line, Statement
from payments.models import BankStatement, BankStatementLine

ROWS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Imported:
    """`is_new` is False for a file that was imported before; `new_lines` are those that no other statement had."""

    statement: BankStatement
    is_new: bool
    new_lines: int


def statement_import(
    *,
    content: bytes,
    name: str,
    period_from: date | None = None,
    period_to: date | None = None,
    by: Actor,
) -> Imported:
    """Imports a file once, and each of its lines once; runs in its caller's transaction.

    Raises BankStatementInvalid; then nothing is imported.
    """
    parsed = parse_statement(content, period_from, period_to)
    digest = sha256(content).hexdigest()
    created = BankStatement.objects.bulk_create([_statement(parsed, digest, name, by)], ignore_conflicts=True)
    statement = BankStatement.objects.get(digest=digest)
    if statement.pk != created[0].pk:
        return Imported(statement, is_new=False, new_lines=0)
    counted: Counter[Line] = Counter()
    lines = (_line(statement, line, counted) for line in parsed.lines)
    while batch := list(islice(lines, ROWS_AT_ONCE)):
        # a line that another statement had is that one's
        BankStatementLine.objects.bulk_create(batch, ignore_conflicts=True)
    record(by, "bank_statement_imported", statement_id=statement.pk, digest=digest, name=name)
    return Imported(statement, is_new=True, new_lines=statement.lines.count())


def _statement(parsed: Statement, digest: str, name: str, by: Actor) -> BankStatement:
    return BankStatement(
        pk=uuid7(),
        digest=digest,
        form=parsed.form,
        name=name,
        period_from=parsed.period_from,
        period_to=parsed.period_to,
        line_count=len(parsed.lines),
        imported_by_id=by.user_id or None,
        created_at=timezone.now(),
    )


def _line(statement: BankStatement, line: Line, counted: Counter[Line]) -> BankStatementLine:
    counted[line] += 1
    key = ENVIRONMENT.account_fingerprint_key.get_secret_value().encode()
    return BankStatementLine(
        statement=statement,
        digest=line.digest(counted[line]),
        booked_on=line.booked_on,
        bank_reference=line.bank_reference,
        reference=line.reference,
        withdrawal_id=line.withdrawal_id,
        amount=line.amount,
        account_fingerprint=account_fingerprint(line.account, key) if line.account else "",
        account_masked=mask_account(line.account) if line.account else "",
    )
