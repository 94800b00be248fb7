"""Reads withdrawals."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from payments.models import Withdrawal


def withdrawals_filtered(
    *,
    merchant_id: int | None = None,
    state: str | None = None,
    created_from: datetime | None = None,
    created_to: datetime | None = None,
    overdue: bool | None = None,
) -> QuerySet[Withdrawal]:
    """Withdrawals that match every given filter; `created_from` is inclusive, `created_to` exclusive."""
    given: dict[str, Any] = {
        "merchant_id": merchant_id,
        "state": state,
        "created_at__gte": created_from,
        "created_at__lt": created_to,
        "overdue_since__isnull": None if overdue is None else not overdue,
    }
    return Withdrawal.objects.filter(**{name: value for name, value in given.items() if value is not None})
