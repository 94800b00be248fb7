"""What the API answers, typed: amounts are Decimal, times are aware datetimes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """`state` is pending, settled or failed; `failure_code` is the bank's reason of the last."""

    id: str
    amount: Decimal
    state: str
    failure_code: str | None
    created_at: datetime
    finalized_at: datetime | None

    @property
    def is_final(self) -> bool:
        """Whether nothing about it changes any more."""
        return self.state != "pending"

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        return cls(
            id=members["id"],
            amount=Decimal(members["amount"]),
            state=members["state"],
            failure_code=members["failure_code"],
            created_at=_moment(members["created_at"]),
            finalized_at=_time(members["finalized_at"]),
        )


@dataclass(frozen=True, slots=True)
class Account:
    """The merchant behind the key or password."""

    merchant_id: int
    username: str
    state: str
    credit_limit: Decimal | None
    used: Decimal | None
    available: Decimal | None

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        amounts = (members.get(name) for name in ("credit_limit", "utilized_amount", "available_credit"))
        limit, used, available = (None if each is None else Decimal(each) for each in amounts)
        return cls(members["merchant_id"], members["username"], members["state"], limit, used, available)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """Positive amounts use credit, negative ones give it back; `balance_after` is what is used then."""

    number: int
    kind: str
    amount: Decimal
    balance_after: Decimal
    withdrawal_id: str | None
    created_at: datetime

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        return cls(
            number=members["number"],
            kind=members["kind"],
            amount=Decimal(members["amount"]),
            balance_after=Decimal(members["balance_after"]),
            withdrawal_id=members["withdrawal_id"],
            created_at=_moment(members["created_at"]),
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """Count and sum by state, as `members` has them."""

    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the API tells it (docs/api/core.json)."""

    members: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Webhook:
    """`state` is enabled or disabled; `failing_since` is None while the last delivery was taken."""

    id: str
    url: str
    event_types: tuple[str, ...]
    state: str
    failing_since: datetime | None
    dead: int

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> Self:
        return cls(
            id=members["id"],
            url=members["url"],
            event_types=tuple(members["event_types"]),
            state=members["state"],
            failing_since=_time(members["failing_since"]),
            dead=members["dead"],
        )
