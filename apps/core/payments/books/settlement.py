"""Compares core's withdrawals with settlement's payouts (I5), both ways and page by page, while both are at work.

A payout that was decided before core was asked, and a withdrawal that was final before settlement was asked, cannot
have changed since: so only those are compared, and nothing under way shows as a difference.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from django.utils import timezone

from payments.answers import timestamp
from payments.models import Withdrawal
from payments.withdrawals.settlement_client import SettlementClient

PAGE = 1000
BEGINNING = datetime.fromisoformat("2000-01-01T00:00:00+00:00")


def find_differences(client: SettlementClient, since: datetime | None) -> Iterator[str]:
    """Differences among what was created since then; raises SettlementError when settlement cannot be asked."""
    yield from _compare_payouts(client, since or BEGINNING)
    yield from _withdrawals_without_payout(client, since or BEGINNING)


def _compare_payouts(client: SettlementClient, since: datetime) -> Iterator[str]:
    for payout, withdrawal in _with_withdrawals(client, since):
        yield from _compare_payout(payout, withdrawal)


def payouts_without_withdrawal(client: SettlementClient, since: datetime | None) -> Iterator[dict[str, Any]]:
    """Settlement's payouts that core knows nothing of; raises SettlementError."""
    return (payout for payout, withdrawal in _with_withdrawals(client, since or BEGINNING) if withdrawal is None)


def _with_withdrawals(client: SettlementClient, since: datetime) -> Iterator[tuple[dict[str, Any], Withdrawal | None]]:
    """Each payout with its withdrawal; core commits one before it orders the other, and is asked after settlement."""
    until = timezone.now() + timedelta(days=1)
    payouts = client.payouts(created_from=str(timestamp(since)), created_to=str(timestamp(until)), page_size=PAGE)
    ordered = (payout for payout in payouts if not payout["direct_test"])
    while page := list(islice(ordered, PAGE)):
        withdrawals = Withdrawal.objects.in_bulk([UUID(payout["withdrawal_id"]) for payout in page])
        for payout in page:
            yield payout, withdrawals.get(UUID(payout["withdrawal_id"]))


def _compare_payout(payout: dict[str, Any], withdrawal: Withdrawal | None) -> Iterator[str]:
    name = f"I5: payout {payout['withdrawal_id']} of {payout['amount']} is {payout['state']}"
    if withdrawal is None:
        yield f"{name}, but core has no such withdrawal"
        return
    if payout["state"] == "pending":
        return
    allowed = {"pending", "settled" if payout["state"] == "paid" else "failed"}
    if withdrawal.state not in allowed:
        yield f"{name}, but the withdrawal is {withdrawal.state}"
    if Decimal(payout["amount"]) != withdrawal.amount:
        yield f"{name}, but the withdrawal's amount is {withdrawal.amount}"
    if payout["account_fingerprint"] != withdrawal.account_fingerprint:
        yield f"{name}, but to another account than the withdrawal's"


def _withdrawals_without_payout(client: SettlementClient, since: datetime) -> Iterator[str]:
    final = (
        Withdrawal.objects.exclude(state=Withdrawal.State.PENDING)
        .filter(created_at__gte=since)
        .order_by("created_at", "id")
    )
    after: tuple[datetime, UUID] | None = None
    while page := _page_after(final, after):
        payouts = {UUID(payout["withdrawal_id"]): payout for payout in client.lookup([w.pk for w in page])}
        for withdrawal in page:
            yield from _compare_withdrawal(withdrawal, payouts.get(withdrawal.pk))
        after = (page[-1].created_at, page[-1].pk)


def _page_after(withdrawals: Any, after: tuple[datetime, UUID] | None) -> Sequence[Withdrawal]:
    if after is not None:
        withdrawals = withdrawals.extra(where=["(created_at, id) > (%s, %s)"], params=list(after))
    return list(withdrawals[:PAGE])


def _compare_withdrawal(withdrawal: Withdrawal, payout: dict[str, Any] | None) -> Iterator[str]:
    state = payout["state"] if payout else "missing"
    if withdrawal.state == Withdrawal.State.SETTLED and state != "paid":
        yield f"I5: withdrawal {withdrawal.pk} of {withdrawal.amount} is settled, but its payout is {state}"
    if withdrawal.state == Withdrawal.State.FAILED and state == "paid":
        yield f"I5: withdrawal {withdrawal.pk} of {withdrawal.amount} is failed, but its payout is paid"
