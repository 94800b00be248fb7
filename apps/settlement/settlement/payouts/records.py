"""What a payout is: the order as core gave it, the record as the database holds it."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from settlement.rails.base import Fault, Transfer


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
    fault: Fault | None = None

    @property
    def reference(self) -> str:
        """Under what the bank knows the payout: the same for every send, which is how the bank pays it once."""
        return str(self.withdrawal_id)

    @property
    def account_masked(self) -> str:
        return f"{self.account[:2]}{'*' * max(len(self.account) - 6, 4)}{self.account[-4:]}"

    def transfer(self) -> Transfer:
        return Transfer(self.reference, self.amount, self.account, self.fault)


@dataclass(frozen=True, slots=True)
class Payout:
    """A row of `payouts`, as far as code needs it."""

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

    @classmethod
    def from_row(cls, row: Any) -> "Payout":
        values = dict(row)
        return cls(**values | {"state": PayoutState(values["state"])})

    @property
    def is_decided(self) -> bool:
        return self.state is not PayoutState.PENDING

    def differs(self, order: PayoutOrder) -> list[str]:
        """The fields in which an order under the same id is another order; empty when it is the same."""
        compared = {
            "merchant_id": self.merchant_id == order.merchant_id,
            "account_id": self.account_id == order.account_id,
            "amount": self.amount == order.amount,
            "account": self.account_fingerprint == order.account_fingerprint,
        }
        return [name for name, same in compared.items() if not same]


@dataclass(frozen=True, slots=True)
class Claim:
    """The right, until the lease ends, to be the one that talks to the rail about a payout.

    A fresh claim is on a payout that nobody can have sent before; any other asks the rail first.
    """

    order: PayoutOrder
    attempt: int
    fresh: bool
