"""What the database holds at this moment, in few queries that end soon however much is pending."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from payments.models import BooksCheck
from payments.models.credit import POOL_ID

# each pending withdrawal is of the first age that it is not over
AGES = ("le_10s", "le_1m", "le_15m", "gt_15m")

# One statement, so that the pool and what is pending are of the same moment; a row for each age, or one without.
# What is pending is found by the index of what is to be dispatched.
MONEY = """
SELECT p.available_amount AS available, p.funded_amount AS funded, p.adjusted_amount AS adjusted,
    p.repaid_amount AS repaid,
    (SELECT count(*) FROM payments_approvalrequest WHERE state = 'requested') AS approvals_waiting,
    (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)
        FROM payments_outcomedecision WHERE result = '') AS decision_oldest, w.*
FROM payments_creditpool AS p LEFT JOIN (
    SELECT CASE WHEN old <= 10 THEN 'le_10s' WHEN old <= 60 THEN 'le_1m' WHEN old <= 900 THEN 'le_15m'
            ELSE 'gt_15m' END AS age,
        count(*) AS withdrawals, sum(amount) AS amount, max(old) AS oldest, count(overdue_since) AS overdue,
        count(*) FILTER (WHERE late > 0) AS due, max(late) AS due_oldest
    FROM (SELECT amount, overdue_since, extract(epoch FROM now() - created_at) AS old,
              greatest(extract(epoch FROM now() - next_attempt_at), 0) AS late
          FROM payments_withdrawal WHERE state = 'pending' AND next_attempt_at IS NOT NULL) AS pending
    GROUP BY 1) AS w ON true
WHERE p.id = %s
"""

WEBHOOKS = """
SELECT count(*), coalesce(max(extract(epoch FROM now() - d.next_attempt_at)), 0)
FROM payments_webhookendpoint AS e JOIN payments_webhookdelivery AS d ON d.endpoint_id = e.id
WHERE e.state = 'enabled' AND d.state = 'pending' AND d.next_attempt_at <= now()
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """Withdrawals of one age whose outcome is not known."""

    withdrawals: int = 0
    amount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Money:
    """The pool, what is pending of it by age, and how long the oldest have waited (0 when nothing does).

    `due` are those that the dispatcher is to ask about now; `overdue` are flagged for staff; decisions wait from when
    two people have made them until settlement has taken them.
    """

    available: Decimal = Decimal(0)
    funded: Decimal = Decimal(0)
    adjusted: Decimal = Decimal(0)
    repaid: Decimal = Decimal(0)
    pending: dict[str, Pending] = field(default_factory=dict)
    oldest_seconds: float = 0.0
    overdue: int = 0
    due: int = 0
    due_oldest_seconds: float = 0.0
    approvals_waiting: int = 0
    decision_oldest_seconds: float = 0.0

    @property
    def reserved(self) -> Decimal:
        """All that is pending."""
        return sum((each.amount for each in self.pending.values()), Decimal(0))

    @property
    def settled(self) -> Decimal:
        """What left the pool for good: nothing else moves money."""
        return self.funded + self.adjusted + self.repaid - self.available - self.reserved


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Deliveries to enabled endpoints that should be sent now, and for how long the first of them has been due."""

    due: int
    due_oldest_seconds: float


@dataclass(frozen=True, slots=True)
class Books:
    """The last run of verify_books."""

    differences: int
    finished_at: datetime
    duration_seconds: float
    settlement_compared: bool


def money() -> Money:
    """All of it, by one look; raises Django's database errors."""
    with connection.cursor() as cursor:
        rows = _rows(cursor, MONEY, [POOL_ID])
    if not rows:
        return Money()
    pending = [row for row in rows if row["age"] is not None]
    return Money(
        available=rows[0]["available"],
        funded=rows[0]["funded"],
        adjusted=rows[0]["adjusted"],
        repaid=rows[0]["repaid"],
        pending={row["age"]: Pending(row["withdrawals"], row["amount"]) for row in pending},
        oldest_seconds=float(max((row["oldest"] for row in pending), default=0)),
        overdue=sum(row["overdue"] for row in pending),
        due=sum(row["due"] for row in pending),
        due_oldest_seconds=float(max((row["due_oldest"] for row in pending), default=0)),
        approvals_waiting=rows[0]["approvals_waiting"],
        decision_oldest_seconds=float(rows[0]["decision_oldest"]),
    )


def webhooks() -> Webhooks:
    """By one look; raises Django's database errors."""
    with connection.cursor() as cursor:
        cursor.execute(WEBHOOKS)
        due, late = cursor.fetchone()
    return Webhooks(due, float(late))


def last_books_check() -> Books | None:
    """None before the first run."""
    found = BooksCheck.objects.order_by("-id").first()
    if found is None:
        return None
    took = (found.finished_at - found.started_at).total_seconds()
    return Books(len(found.differences), found.finished_at, took, found.settlement_compared)


def _rows(cursor: Any, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    cursor.execute(sql, parameters)
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
