"""Answers, made from records without a model for each: lists are long. `models` has their shapes for the document."""

from collections.abc import AsyncIterable
from typing import Any

import orjson
from fastapi import Response
from starlette.types import Receive, Scope, Send

from etebar_common.problems import PayoutConflict
from settlement.payouts.records import Payout
from settlement.payouts.service import Answer

JSON = "application/json"
LINES = "application/x-ndjson"


def payout_object(payout: Payout) -> dict[str, Any]:
    """A `PayoutBody`."""
    return {
        "withdrawal_id": payout.withdrawal_id,
        "merchant_id": payout.merchant_id,
        "account_id": payout.account_id,
        "amount": str(payout.amount),
        "account_fingerprint": payout.account_fingerprint,
        "state": payout.state,
        "reason": payout.reason,
        "rail": payout.rail,
        "reference": payout.reference,
        "direct_test": payout.direct_test,
        "created_at": payout.created_at,
        "decided_at": payout.decided_at,
        "evidence": payout.evidence,
        "idempotency_key": payout.idempotency_key,
    }


def result_object(answer: Answer) -> dict[str, Any]:
    """A `BatchResult`."""
    payout = answer.payout
    if answer.differs:
        conflict = {"state": "conflict", "reason": PayoutConflict.code, "payout": None}
        return {"withdrawal_id": payout.withdrawal_id} | conflict
    return {
        "withdrawal_id": payout.withdrawal_id,
        "state": payout.state,
        "reason": payout.reason,
        "payout": payout_object(payout),
    }


def encoded(value: Any, option: int = 0) -> bytes:
    # `default`: asyncpg's UUIDs are a subclass, which orjson does not take for one
    return orjson.dumps(value, default=str, option=option | orjson.OPT_UTC_Z)


class Json(Response):
    media_type = JSON

    def render(self, content: Any) -> bytes:
        return encoded(content)


class Lines(Response):
    """One JSON object a line; the lines of one group are one write, as soon as there is the group.

    The status goes out with the first group, so that what fails before it is a problem as ever, and the end with the
    last of `count` lines, so that an answer with fewer has none. A caller that hangs up is not looked for: the payouts
    go on without it, and the answer is over by its deadline anyway.
    """

    media_type = LINES

    def __init__(self, groups: AsyncIterable[list[Answer]], count: int) -> None:
        super().__init__()
        del self.headers["Content-Length"]
        self._groups = groups
        self._count = count

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        left = self._count
        async for group in self._groups:
            if left == self._count:
                await send(start)
            left -= len(group)
            lines = b"".join(encoded(result_object(answer), orjson.OPT_APPEND_NEWLINE) for answer in group)
            await send({"type": "http.response.body", "body": lines, "more_body": left > 0})
