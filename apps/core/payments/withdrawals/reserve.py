"""Reserves funds for a list of withdrawals: one statement, one transaction, each member's own outcome."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import orjson

from etebar_common.crash import CrashPoint
from payments.idempotency.identity import RequestIdentity
from payments.statements import call_function
from payments.withdrawals.representation import refusal_bodies


@dataclass(frozen=True, slots=True)
class ReserveRequest:
    """A withdrawal that asks for its funds; `log` are the members of its row in the request log.

    `trace_parent` is kept with it, so that the dispatcher goes on in the request's trace.
    """

    withdrawal_id: UUID
    merchant_id: int
    amount: Decimal
    identity: RequestIdentity
    dispatch_after_seconds: float
    log: dict[str, Any]
    trace_parent: str | None = None

    def item(self, ordinal: int) -> dict[str, Any]:
        """The members of payments_reserve_item."""
        item = {
            "log_id": None,
            **self.log,
            "ordinal": ordinal,
            "withdrawal_id": str(self.withdrawal_id),
            "merchant_id": self.merchant_id,
            "amount": str(self.amount),
            "scope": self.identity.scope,
            "key": self.identity.key,
            "method": self.identity.method,
            "path": self.identity.path,
            "request": self.identity.digests,
            "dispatch_after_seconds": self.dispatch_after_seconds,
        }
        return item if self.trace_parent is None else item | {"trace_parent": self.trace_parent}


@dataclass(frozen=True, slots=True)
class Reservation:
    """What became of one request.

    `outcome` is accepted, replay, reused, in_progress, aborted or the code of a refusal, or tells that nothing was
    decided: duplicate (the key is another's in the list), busy (somebody else is at the merchant). `status` and `body`
    are the stored answer of a refusal or of a replay that is final; `withdrawal_id` is what a replay's key stands for;
    `decided_at` is when the withdrawal was accepted, if there is one; `account_id` and `bank_account` are given for
    accepted ones.
    """

    outcome: str
    status: int | None
    body: str | None
    withdrawal_id: UUID | None
    first_request: dict[str, str] | None
    decided_at: datetime
    account_id: str | None
    bank_account: str | None

    @property
    def is_withdrawal(self) -> bool:
        """Whether the key stands for a withdrawal: a new one, or the one that it is a replay of."""
        return self.outcome == ACCEPTED or (self.outcome == "replay" and self.withdrawal_id is not None)


ACCEPTED, DUPLICATE, BUSY = "accepted", "duplicate", "busy"


@cache
def _refusals() -> str:
    return json.dumps(refusal_bodies())


def _reservation(row: dict[str, Any]) -> Reservation:
    members = {name: row[name] for name in Reservation.__dataclass_fields__}
    # Django leaves jsonb of raw statements as text
    first_request = json.loads(row["first_request"]) if row["first_request"] else None
    return Reservation(**{**members, "first_request": first_request})


def reserve(requests: Sequence[ReserveRequest]) -> list[Reservation]:
    """Decides the requests in their order; results equal deciding them one by one.

    Accepted ones are durable when this returns. Of requests with the same key only the first is decided: the others'
    outcome is `duplicate`, and they are to be asked again.
    """
    return _decide("payments_reserve", requests)


def reserve_all(requests: Sequence[ReserveRequest]) -> list[Reservation]:
    """Reserves funds for all of the requests, or, when one is refused, for none.

    Then nothing is stored, the refused ones have their outcomes, and those that could have been accepted are `aborted`.
    """
    return _decide("payments_reserve_all", requests)


def _decide(function: str, requests: Sequence[ReserveRequest]) -> list[Reservation]:
    items = [request.item(ordinal) for ordinal, request in enumerate(requests, 1)]
    rows = call_function(
        f"SELECT * FROM {function}(%s, %s) ORDER BY ordinal",  # noqa: S608 - one of the two names above
        [orjson.dumps(items).decode(), _refusals()],
        crash_before_commit=CrashPoint.BEFORE_RESERVE_COMMIT,
    )
    return [_reservation(row) for row in rows]
