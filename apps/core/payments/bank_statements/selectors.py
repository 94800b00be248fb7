"""Compares what the bank booked with the withdrawals, as both are now."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from etebar_common.problems import NotFound
from payments.models import BankStatement


class Kind(StrEnum):
    """What a line, or a withdrawal without one, is found to be.

    OTHER are bookings that came in and name no withdrawal: not ours to compare.
    """

    MATCHED = "matched"
    DIFFERENT = "different"
    EXTRA = "extra"
    MISSING = "missing"
    OTHER = "other"


DIFFERENCES = (Kind.DIFFERENT, Kind.EXTRA, Kind.MISSING)

# `missing` are withdrawals settled on a day (UTC) of the period that no line of any statement pays. `differs` names
# what is not as the withdrawal says: `again` a second payment of it, `returned` its money came back, `state` it is not
# settled. `facts` are what two people who explain it have seen: when the withdrawal's state is another one later, so
# is the difference, and it is open again.
_COMPARED = """
WITH statement AS (SELECT * FROM payments_bankstatement WHERE id = %(statement)s),
line AS (
    SELECT l.*, w.id AS known_id, w.amount AS expected, w.state, concat_ws(',',
        CASE WHEN l.amount < 0 THEN 'returned' END,
        CASE WHEN l.amount > 0 AND l.amount <> w.amount THEN 'amount' END,
        CASE WHEN l.account_fingerprint NOT IN ('', w.account_fingerprint) THEN 'account' END,
        CASE WHEN w.state <> 'settled' THEN 'state' END,
        CASE WHEN l.amount > 0 AND EXISTS (
            SELECT FROM payments_bankstatementline AS o
            WHERE o.withdrawal_id = l.withdrawal_id AND o.amount > 0 AND o.id < l.id) THEN 'again' END) AS differs
    FROM payments_bankstatementline AS l JOIN statement AS s ON s.id = l.statement_id
    LEFT JOIN payments_withdrawal AS w ON w.id = l.withdrawal_id
),
compared AS (
    SELECT lpad(l.id::text, 19, '0') AS key, l.id AS line_id, l.withdrawal_id, l.booked_on, l.bank_reference,
        l.reference, l.amount, l.account_masked, l.expected, l.state, l.differs,
        CASE WHEN l.known_id IS NULL THEN CASE WHEN l.amount < 0 THEN 'other' ELSE 'extra' END
             WHEN l.differs = '' THEN 'matched' ELSE 'different' END AS kind
    FROM line AS l
    UNION ALL
    SELECT 'w' || w.id::text, NULL, w.id, NULL, '', w.id::text, NULL, '', w.amount, w.state, '', 'missing'
    FROM payments_withdrawal AS w, statement AS s
    WHERE w.state = 'settled' AND w.created_at < (s.period_to + 1)::timestamp AT TIME ZONE 'UTC'
        AND w.finalized_at >= s.period_from::timestamp AT TIME ZONE 'UTC'
        AND w.finalized_at < (s.period_to + 1)::timestamp AT TIME ZONE 'UTC'
        AND NOT EXISTS (SELECT FROM payments_bankstatementline AS l WHERE l.withdrawal_id = w.id AND l.amount > 0)
),
told AS (SELECT c.*, concat_ws(':', c.kind, c.differs, c.state) AS facts FROM compared AS c),
explained AS (
    SELECT c.*, r.id AS resolution_id, r.reason
    FROM told AS c
    LEFT JOIN payments_statementresolution AS r ON r.facts IN ('', c.facts)
        AND (r.line_id = c.line_id OR c.line_id IS NULL AND r.withdrawal_id = c.withdrawal_id)
)
"""
COUNTS = (
    _COMPARED
    + """
SELECT kind, count(*) AS found, count(resolution_id) AS resolved FROM explained GROUP BY kind
"""
)
PAGE = (
    _COMPARED
    + """
SELECT * FROM explained
WHERE kind = ANY(%(kinds)s) AND key > %(after)s AND (%(resolved)s::boolean IS NULL
    OR (resolution_id IS NOT NULL) = %(resolved)s)
ORDER BY key LIMIT %(limit)s
"""
)
ONE = (
    _COMPARED
    + """
SELECT * FROM explained
WHERE kind = ANY(%(kinds)s) AND resolution_id IS NULL
    AND (line_id = %(line)s OR line_id IS NULL AND withdrawal_id = %(withdrawal)s)
"""
)


@dataclass(frozen=True, slots=True)
class Count:
    """How many of a kind, and how many of them two people have explained."""

    found: int = 0
    resolved: int = 0


def statement_get(statement_id: UUID) -> BankStatement:
    """The statement; raises NotFound."""
    statement = BankStatement.objects.filter(pk=statement_id).first()
    if statement is None:
        raise NotFound(f"there is no bank statement {statement_id}")
    return statement


def counts_of(statement_id: UUID) -> dict[Kind, Count]:
    """How many of each kind a statement has."""
    found = {Kind(row["kind"]): Count(row["found"], row["resolved"]) for row in _rows(COUNTS, statement=statement_id)}
    return {kind: found.get(kind, Count()) for kind in Kind}


def differences_page(
    statement_id: UUID, *, kind: str | None, resolved: bool | None, after: str, limit: int
) -> list[dict[str, Any]]:
    """Differences of a statement in the order of their keys, after one; lines come before what has none."""
    kinds = [kind] if kind else list(DIFFERENCES)
    return _rows(PAGE, statement=statement_id, kinds=kinds, resolved=resolved, after=after, limit=limit)


def difference_find(statement_id: UUID, *, line_id: int | None, withdrawal_id: UUID | None) -> dict[str, Any] | None:
    """The difference that a line is, or a withdrawal without one, unless it is none or is resolved."""
    found = _rows(ONE, statement=statement_id, kinds=list(DIFFERENCES), line=line_id, withdrawal=withdrawal_id)
    return found[0] if found else None


def _rows(sql: str, **parameters: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
