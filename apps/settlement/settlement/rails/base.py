"""What a payout rail is: whatever moves the money, behind two questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable


class Verdict(StrEnum):
    """What a rail knows. UNKNOWN is every answer that is not definite; NOT_FOUND is a definite "never seen"."""

    PAID = "paid"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict; `reason` is a refusal's code, `detail` tells the log why a verdict is unknown."""

    verdict: Verdict
    reason: str | None = None
    detail: str = ""

    @property
    def is_decided(self) -> bool:
        return self.verdict in (Verdict.PAID, Verdict.REFUSED)


PAID = Outcome(Verdict.PAID)
NOT_FOUND = Outcome(Verdict.NOT_FOUND)


def unknown(detail: str) -> Outcome:
    return Outcome(Verdict.UNKNOWN, detail=detail)


def refused(reason: str) -> Outcome:
    return Outcome(Verdict.REFUSED, reason=reason)


class Fault(StrEnum):
    """The faults that the sandbox bank can be told to have; other rails take no notice."""

    SLOW = "slow"
    TIMEOUT_AFTER_PAYING = "timeout_after_paying"
    REFUSED = "refused"
    ERROR = "error"
    WRONG_BODY = "wrong_body"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Transfer:
    """An order to the bank. The account number is kept out of every repr, and so out of logs."""

    reference: str
    amount: Decimal
    account: str = field(repr=False)
    fault: Fault | None = None


class Rail(Protocol):
    """A bank. It deduplicates by reference: the same transfer sent again under the same reference pays once.

    That is what makes a repeated send safe, and it is required of every bank behind a rail
    (docs/settlement-bank-api.md). `pay` never answers NOT_FOUND. `status` takes the whole transfer: an answer about
    another amount is not about this transfer, and so UNKNOWN.
    """

    @property
    def name(self) -> str: ...

    async def pay(self, transfer: Transfer) -> Outcome: ...

    async def status(self, transfer: Transfer) -> Outcome: ...


@runtime_checkable
class ListRail(Rail, Protocol):
    """A rail that can also take lists, of the transfers that it `takes_in_list` (none that may be slow)."""

    def takes_in_list(self, transfer: Transfer) -> bool: ...

    async def pay_many(self, transfers: Sequence[Transfer]) -> Mapping[str, Outcome]: ...

    async def status_many(self, transfers: Sequence[Transfer]) -> Mapping[str, Outcome]: ...


async def pay_together(rail: Rail, transfers: Sequence[Transfer]) -> dict[str, Outcome]:
    """The outcome of each transfer by reference; one call where the rail takes lists."""
    if len(transfers) > 1 and isinstance(rail, ListRail):
        return dict(await rail.pay_many(transfers))
    return {transfer.reference: await rail.pay(transfer) for transfer in transfers}


async def status_together(rail: Rail, transfers: Sequence[Transfer]) -> dict[str, Outcome]:
    """What the rail knows of each transfer, by reference; one call where the rail takes lists."""
    if len(transfers) > 1 and isinstance(rail, ListRail):
        return dict(await rail.status_many(transfers))
    return {transfer.reference: await rail.status(transfer) for transfer in transfers}
