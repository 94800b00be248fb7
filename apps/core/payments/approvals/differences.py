"""A difference to the bank's statement, explained by two people. It moves no money: an adjustment does.

Runs in the caller's transaction.
"""

from uuid import UUID

from django.utils import timezone

from etebar_common.problems import NoDifference
from payments.approvals.decisions import Kind, State, ask, withdraw
from payments.audit.services import Actor
from payments.bank_statements.selectors import difference_find, statement_get
from payments.locks import lock_difference
from payments.models import ApprovalRequest, StatementResolution


def difference_ask(
    *, statement_id: UUID, line_id: int | None, withdrawal_id: UUID | None, reason: str, by: Actor
) -> ApprovalRequest:
    """Asks to call a difference resolved; another question about it takes the place of the first.

    Exactly one of `line_id` and `withdrawal_id` is given. Raises NotFound and NoDifference.
    """
    lock_difference(line_id, withdrawal_id)
    facts = _facts_of(statement_get(statement_id).pk, line_id, withdrawal_id)
    about = {"statement_line_id": line_id, "withdrawal_id": withdrawal_id}
    asked = ApprovalRequest.objects.filter(kind=Kind.STATEMENT_DIFFERENCE, state=State.REQUESTED, **about).first()
    if asked is not None:
        if (asked.grounds, asked.requested_for, asked.facts) == (reason, by.name, facts):
            return asked
        withdraw(asked, by)
    return ask(Kind.STATEMENT_DIFFERENCE, by, grounds=reason, facts=facts, **about)


def difference_resolve(asked: ApprovalRequest, by: Actor) -> None:  # noqa: ARG001 - as every effect of an approval
    """What an approved request brings about; raises NoDifference when it is resolved, or another one, by now."""
    about = {"line_id": asked.statement_line_id, "withdrawal_id": asked.withdrawal_id, "facts": asked.facts}
    if StatementResolution.objects.filter(**about).exists():
        raise NoDifference("it is resolved already")
    line = asked.statement_line
    if line is not None and asked.facts and _facts_of(line.statement_id, line.pk, None) != asked.facts:
        raise NoDifference("it is another difference by now: ask anew")
    StatementResolution.objects.create(pk=asked.pk, reason=asked.grounds, created_at=timezone.now(), **about)


def _facts_of(statement_id: UUID, line_id: int | None, withdrawal_id: UUID | None) -> str:
    found = difference_find(statement_id, line_id=line_id, withdrawal_id=withdrawal_id)
    if found is None:
        what = f"line {line_id}" if line_id is not None else f"withdrawal {withdrawal_id}"
        raise NoDifference(f"{what} of the statement {statement_id} is none that is open")
    return str(found["facts"])
