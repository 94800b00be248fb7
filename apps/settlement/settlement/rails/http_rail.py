"""A bank behind HTTP; the API that it must have is docs/settlement-bank-api.md.

Only a documented, definite answer about our reference and our amount is an outcome, to an order and to a question
alike. Everything else, a timeout, a 5xx, a redirect, a gateway's 404, a body that is not understood, is UNKNOWN: the
payout stays pending and the bank is asked again.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx2

from etebar_common.money import parse_amount
from settlement.rails.base import NOT_FOUND, PAID, Outcome, Transfer, refused, unknown

MAXIMUM_ANSWER_BYTES = 64 * 1024
MAXIMUM_CONNECTIONS = 200
_REASON = re.compile(r"[a-z0-9_]{1,64}\Z", re.ASCII)
_DEFINITE = (HTTPStatus.OK, HTTPStatus.CREATED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: no status where nothing came (`failure` names why), no body where it is no JSON object."""

    status: int | None
    body: Mapping[str, Any] | None
    failure: str = ""


class HttpRail:
    name = "http"

    def __init__(self, url: str, token: str, timeout_seconds: float, currency: str | None = None) -> None:
        self._currency = currency
        self._client = httpx2.AsyncClient(
            base_url=url.rstrip("/"),
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=timeout_seconds,
            limits=httpx2.Limits(max_connections=MAXIMUM_CONNECTIONS),
            follow_redirects=False,
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def pay(self, transfer: Transfer) -> Outcome:
        order = {"reference": transfer.reference, "amount": str(transfer.amount), "account": transfer.account}
        if self._currency:
            order["currency"] = self._currency
        headers = {"Idempotency-Key": transfer.reference}
        return interpret(transfer, await self._ask("POST", "/transfers", json=order, headers=headers))

    async def status(self, transfer: Transfer) -> Outcome:
        answer = await self._ask("GET", f"/transfers/{transfer.reference}")
        return NOT_FOUND if says_never_seen(transfer, answer) else interpret(transfer, answer)

    async def _ask(self, method: str, path: str, **request: Any) -> Answer:
        try:
            async with self._client.stream(method, path, **request) as response:
                return Answer(response.status_code, _json_object(await _read(response)))
        except httpx2.HTTPError as error:
            return Answer(None, None, type(error).__name__)


async def _read(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAXIMUM_ANSWER_BYTES:
            raise httpx2.DecodingError("the answer is too long", request=response.request)
    return body


def _json_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def says_never_seen(transfer: Transfer, answer: Answer) -> bool:
    """Whether the bank itself says so, naming our reference: a 404 alone may be any gateway's on the way."""
    if answer.status != HTTPStatus.NOT_FOUND or answer.body is None:
        return False
    return answer.body.get("status") == "not_found" and answer.body.get("reference") == transfer.reference


def interpret(transfer: Transfer, answer: Answer) -> Outcome:
    """The outcome that an answer tells, UNKNOWN unless every part of it is as documented."""
    if answer.status is None:
        return unknown(f"the bank could not be asked: {answer.failure}")
    if answer.body is None or not _is_about(transfer, answer.body):
        return unknown(f"the bank answered {answer.status} with a body that is not understood")
    reason = answer.body.get("reason")
    match answer.body.get("status"):
        case "paid" if answer.status in _DEFINITE:
            return PAID
        case "refused" if answer.status in (*_DEFINITE, HTTPStatus.UNPROCESSABLE_ENTITY) and _is_reason(reason):
            return refused(str(reason))
        case _:
            return unknown(f"the bank answered {answer.status} without a definite outcome")


def _is_about(transfer: Transfer, body: Mapping[str, Any]) -> bool:
    try:
        amount = parse_amount(body.get("amount"))
    except ValueError:
        return False
    return body.get("reference") == transfer.reference and amount == transfer.amount


def _is_reason(value: object) -> bool:
    return isinstance(value, str) and _REASON.match(value) is not None
