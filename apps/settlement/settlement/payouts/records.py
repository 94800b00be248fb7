"""What a payout is: the order as core gave it, the record as the database holds it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from etebar_common.bank_account import mask_account
from settlement.rails.base import Fault, Transfer

DECIDED_BY_STAFF = "decided_by_staff"


class PayoutState(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class PayoutOrder:
    """A request to pay. The account number lives here, for as long as the request, and nowhere else of ours."""

    withdrawal_id: UUID
    merchant_id: int
    account_id: UUID
    amount: Decimal
    account: str = field(repr=False)
    account_fingerprint: str
    direct_test: bool = False
    idempotency_key: str | None = None
    """The caller's own key at core; kept for core's sake, and no part of what makes two orders the same."""
    fault: Fault | None = None
    transfer: Transfer = field(init=False, repr=False, compare=False)
    """What the bank is sent. Its reference is the same for every send, which is how the bank pays it once."""

    def __post_init__(self) -> None:
        transfer = Transfer(str(self.withdrawal_id), self.amount, self.account, self.fault)
        object.__setattr__(self, "transfer", transfer)

    @property
    def reference(self) -> str:
        return self.transfer.reference

    @property
    def account_masked(self) -> str:
        return mask_account(self.account)


class Payout(NamedTuple):
    """A row of `payouts`, as far as code needs it, in the order of `sql.PAYOUT_COLUMNS`."""

    withdrawal_id: UUID
    merchant_id: int
    account_id: UUID
    amount: Decimal
    account_fingerprint: str
    state: PayoutState
    reason: str | None
    rail: str
    reference: str
    direct_test: bool
    created_at: datetime
    decided_at: datetime | None
    attempts: int
    evidence: str | None = None
    idempotency_key: str | None = None

    @classmethod
    def from_row(cls, row: Any) -> "Payout":
        return cls(*row)._replace(state=PayoutState(row["state"]))

    @classmethod
    def recorded(cls, order: PayoutOrder, rail: str, created_at: datetime) -> "Payout":
        """What `sql.RECORD_PAYOUTS` has just written for an order."""
        return cls(
            withdrawal_id=order.withdrawal_id,
            merchant_id=order.merchant_id,
            account_id=order.account_id,
            amount=order.amount,
            account_fingerprint=order.account_fingerprint,
            state=PayoutState.PENDING,
            reason=None,
            rail=rail,
            reference=order.reference,
            direct_test=order.direct_test,
            created_at=created_at,
            decided_at=None,
            attempts=1,
            idempotency_key=order.idempotency_key,
        )

    def decided(self, state: PayoutState, reason: str | None, at: datetime) -> "Payout":
        return self._replace(state=state, reason=reason, decided_at=at)

    @property
    def is_decided(self) -> bool:
        return self.state is not PayoutState.PENDING

    def differs(self, order: "PayoutOrder | Decision") -> list[str]:
        """The fields in which an order under the same id is another order; empty when it is the same."""
        compared = {
            "merchant_id": self.merchant_id == order.merchant_id,
            "account_id": self.account_id == order.account_id,
            "amount": self.amount == order.amount,
            "account": self.account_fingerprint == order.account_fingerprint,
        }
        return [name for name, same in compared.items() if not same]


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome that people decided in core, because nobody could tell it; `evidence` is core's reference of it."""

    withdrawal_id: UUID
    merchant_id: int
    account_id: UUID
    amount: Decimal
    account_fingerprint: str
    state: PayoutState
    evidence: str

    @property
    def reason(self) -> str | None:
        """The reason of a refusal."""
        return DECIDED_BY_STAFF if self.state is PayoutState.REFUSED else None


class Claim(NamedTuple):
    """The right, until the lease ends, to be the one that talks to the rail about a payout, here as it was then.

    A fresh claim is on a payout that nobody can have sent before; any other asks the rail first.
    """

    order: PayoutOrder
    payout: Payout
    fresh: bool
