"""Reads withdrawals."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from payments.models import Withdrawal


def withdrawals_filtered(
    *,
    merchant_id: int | None = None,
    state: str | None = None,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    amount_from: Decimal | None = None,
    amount_to: Decimal | None = None,
    overdue: bool | None = None,
) -> QuerySet[Withdrawal]:
    """Withdrawals that match every given filter; `created_to` is exclusive, the other bounds are inclusive."""
    given: dict[str, Any] = {
        "merchant_id": merchant_id,
        "state": state,
        "created_at__gte": created_from,
        "created_at__lt": created_to,
        "amount__gte": amount_from,
        "amount__lte": amount_to,
        "overdue_since__isnull": None if overdue is None else not overdue,
    }
    return Withdrawal.objects.filter(**{name: value for name, value in given.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Total:
    """How many withdrawals there are, and their sum."""

    count: int = 0
    amount: Decimal = Decimal(0)


def totals(withdrawals: QuerySet[Withdrawal]) -> dict[str, Total]:
    """By state, those without any as well; all of one moment."""
    rows = withdrawals.order_by().values("state").annotate(count=Count("pk"), sum=Sum("amount"))
    found = {row["state"]: Total(row["count"], row["sum"]) for row in rows}
    return {state: found.get(state, Total()) for state in Withdrawal.State.values}
