"""Makes again, from settlement's payouts, the withdrawals that a restored database lacks (ADR 0024). Pays nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from etebar_common.crash import CrashPoint
from payments.answers import timestamp
from payments.books.settlement import payouts_without_withdrawal
from payments.idempotency.identity import digest_fields
from payments.models import POOL_ID, CreditPool, Merchant, MerchantCredit, Withdrawal
from payments.recovery.report import DONE, OVER_LIMIT, Found, Report
from payments.statements import call_function
from payments.withdrawals.confirm import Confirmation, confirm_what_can_be
from payments.withdrawals.representation import PATH, withdrawal_members
from payments.withdrawals.settlement_client import Outcome, settlement_client

METHOD = "POST"
RECOVER = "SELECT payments_recover(%s) AS outcome"


@dataclass(frozen=True, slots=True)
class Payout:
    """What settlement knows of a withdrawal; `key` is its request's, None for what was paid before it kept them."""

    withdrawal_id: UUID
    merchant_id: int
    account_id: str
    amount: Decimal
    fingerprint: str
    state: str
    reason: str | None
    created_at: datetime
    decided_at: datetime | None
    key: str | None

    @classmethod
    def of(cls, members: dict[str, Any]) -> "Payout":
        decided_at = members["decided_at"]
        return cls(
            withdrawal_id=UUID(members["withdrawal_id"]),
            merchant_id=int(members["merchant_id"]),
            account_id=str(members["account_id"]),
            amount=Decimal(members["amount"]),
            fingerprint=str(members["account_fingerprint"]),
            state=str(members["state"]),
            reason=members["reason"],
            created_at=datetime.fromisoformat(members["created_at"]),
            decided_at=datetime.fromisoformat(decided_at) if decided_at else None,
            key=members.get("idempotency_key"),
        )

    def item(self, user_id: int | None) -> dict[str, Any]:
        """The members of payments_recover_item; the digests are made again of what the request must have been."""
        return {
            "withdrawal_id": str(self.withdrawal_id),
            "merchant_id": self.merchant_id,
            "account_id": self.account_id,
            "amount": str(self.amount),
            "account_fingerprint": self.fingerprint,
            "created_at": timestamp(self.created_at),
            "scope": f"user:{user_id}",
            "key": self.key,
            "method": METHOD,
            "path": PATH,
            "request": digest_fields({"method": METHOD, "path": PATH, "amount": self.amount}),
        }


def recover() -> Report:
    """Makes each missing withdrawal again and ends it as its payout ended; may be repeated.

    One whose payout is pending stays pending, for the dispatcher. A kill in between leaves one pending, too: the
    dispatcher asks settlement about it. Raises SettlementError when settlement cannot be asked.
    """
    report = Report()
    for payout in _missing():
        rows = call_function(RECOVER, [_item(payout)], crash_before_commit=CrashPoint.BEFORE_RESERVE_COMMIT)
        if _add(report, payout, rows[0]["outcome"]) and payout.decided_at is not None:
            confirm_what_can_be([_confirmation(payout)])
    report.available = _available()
    return report


@transaction.atomic(durable=True)
def recover_dry() -> Report:
    """What `recover` would do, done and taken back. Holds locks meanwhile: nobody else should be at work."""
    report = Report()
    with connection.cursor() as cursor:
        for payout in _missing():
            cursor.execute(RECOVER, [_item(payout)])
            if _add(report, payout, cursor.fetchone()[0]) and payout.decided_at is not None:
                cursor.execute("SELECT * FROM payments_confirm(%s)", [json.dumps([_confirmation(payout).item()])])
    report.available = _available()
    transaction.set_rollback(True)
    return report


def _missing() -> Iterator[Payout]:
    """Settlement's payouts without a withdrawal in core, oldest first."""
    return map(Payout.of, payouts_without_withdrawal(settlement_client(), None))


def _item(payout: Payout) -> str:
    user_id = Merchant.objects.filter(pk=payout.merchant_id).values_list("user_id", flat=True).first()
    return json.dumps(payout.item(user_id))


def _confirmation(payout: Payout) -> Confirmation:
    """The end of a withdrawal as its payout ended, at the moment when that was decided."""
    paid = payout.state == Outcome.PAID
    members = withdrawal_members(
        withdrawal_id=payout.withdrawal_id,
        amount=payout.amount,
        state=(Withdrawal.State.SETTLED if paid else Withdrawal.State.FAILED).value,
        created_at=payout.created_at,
        finalized_at=payout.decided_at,
        failure_code="" if paid else (payout.reason or "refused")[:64],
    )
    return Confirmation(members)


def _add(report: Report, payout: Payout, outcome: str) -> bool:
    """Notes what became of a payout, and whether it has a withdrawal now that it did not have."""
    report.found.append(
        Found(payout.withdrawal_id, payout.merchant_id, payout.amount, payout.state, outcome, _credit(payout, outcome))
    )
    return outcome in DONE


def _credit(payout: Payout, outcome: str) -> tuple[Decimal, Decimal] | None:
    """Limit and use of a merchant whose limit is too low."""
    if outcome != OVER_LIMIT:
        return None
    credit = MerchantCredit.objects.get(merchant_id=payout.merchant_id)
    return credit.credit_limit, credit.utilized_amount


def _available() -> Decimal:
    return CreditPool.objects.get(pk=POOL_ID).available_amount
