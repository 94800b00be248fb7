"""What became of each payout that core has no withdrawal of, and what staff must do about the rest."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

RECOVERED, WITHOUT_KEY, PRESENT = "recovered", "recovered_without_key", "present"
NO_MERCHANT, OTHER_ACCOUNT, OVER_LIMIT, POOL_SHORT = "no_merchant", "other_account", "over_limit", "pool_short"
DONE = frozenset({RECOVERED, WITHOUT_KEY})

_SAID = {
    RECOVERED: "recovered",
    WITHOUT_KEY: "recovered, but its Idempotency-Key is not known or stands for another withdrawal by now",
    PRESENT: "is there already",
    NO_MERCHANT: "not recovered: the merchant is not in core, or not approved there",
    OTHER_ACCOUNT: "not recovered: the merchant of this number has another account",
    OVER_LIMIT: "not recovered: it is over the merchant's limit",
    POOL_SHORT: "not recovered: the pool does not cover it",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A payout without a withdrawal; `outcome` as of payments_recover, `credit` limit and use of one over its limit."""

    withdrawal_id: UUID
    merchant_id: int
    amount: Decimal
    state: str
    outcome: str
    credit: tuple[Decimal, Decimal] | None = None

    def __str__(self) -> str:
        about = f"payout {self.withdrawal_id} of {self.amount} ({self.state}) of merchant {self.merchant_id}"
        return f"{about}: {_SAID[self.outcome]}"


@dataclass(slots=True)
class Report:
    """All that was found, in order; `available` is what the pool has after it."""

    found: list[Found] = field(default_factory=list)
    available: Decimal = Decimal(0)

    @property
    def recovered(self) -> list[Found]:
        """Those that have a withdrawal now."""
        return [each for each in self.found if each.outcome in DONE]

    @property
    def left(self) -> list[Found]:
        """Those that have none."""
        return [each for each in self.found if each.outcome not in DONE and each.outcome != PRESENT]

    def to_do(self) -> Iterator[str]:
        """A sentence for each thing that must be put right before the rest can be recovered."""
        yield from self._merchants()
        yield from self._limits()
        short = sum((each.amount for each in self.left if each.outcome == POOL_SHORT), Decimal(0))
        if short:
            missing = max(short - self.available, Decimal("0.01"))
            yield f"the pool lacks {missing}: repeat the top-ups that were lost, at least as much"

    def _merchants(self) -> Iterator[str]:
        lost: defaultdict[int, Decimal] = defaultdict(Decimal)
        for each in self.left:
            if each.outcome in {NO_MERCHANT, OTHER_ACCOUNT}:
                lost[each.merchant_id] += each.amount
        for merchant_id, amount in sorted(lost.items()):
            yield (
                f"merchant {merchant_id} of settlement's payouts ({amount} together) is lost or another one in core: "
                "it is not invented"
            )

    def _limits(self) -> Iterator[str]:
        over: defaultdict[int, Decimal] = defaultdict(Decimal)
        credit: dict[int, tuple[Decimal, Decimal]] = {}
        for each in self.left:
            if each.credit is not None:
                over[each.merchant_id] += each.amount
                # the last one tells what is used after all that was recovered
                credit[each.merchant_id] = each.credit
        for merchant_id, (limit, used) in sorted(credit.items()):
            yield f"merchant {merchant_id} has a limit of {limit}: set at least {used + over[merchant_id]}"
