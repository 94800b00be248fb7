"""A bank behind HTTP; the API that it must have is docs/settlement-bank-api.md.

Only a documented, definite answer about our reference and our amount is an outcome. Everything else, a timeout, a
5xx, a redirect, a body that is not understood, is UNKNOWN: the payout stays pending and the bank is asked again.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx2

from etebar_common.money import parse_amount
from settlement.rails.base import NOT_FOUND, PAID, Outcome, Transfer, refused, unknown

MAXIMUM_ANSWER_BYTES = 64 * 1024
MAXIMUM_CONNECTIONS = 200
_REASON = re.compile(r"[a-z0-9_]{1,64}\Z", re.ASCII)
_DEFINITE = (HTTPStatus.OK, HTTPStatus.CREATED)


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
        return await self._ask("POST", "/transfers", transfer.reference, transfer, json=order, headers=headers)

    async def status(self, reference: str) -> Outcome:
        return await self._ask("GET", f"/transfers/{reference}", reference, None)

    async def _ask(self, method: str, path: str, reference: str, sent: Transfer | None, **request: Any) -> Outcome:
        try:
            async with self._client.stream(method, path, **request) as response:
                body = await _read(response)
        except httpx2.HTTPError as error:
            return unknown(f"the bank could not be asked: {type(error).__name__}")
        if method == "GET" and response.status_code == HTTPStatus.NOT_FOUND:
            return NOT_FOUND
        return interpret(response.status_code, body, reference, sent)


async def _read(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAXIMUM_ANSWER_BYTES:
            raise httpx2.DecodingError("the answer is too long", request=response.request)
    return body


def interpret(status: int, body: bytes, reference: str, sent: Transfer | None) -> Outcome:
    """The outcome that an answer tells, UNKNOWN unless every part of it is as documented."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not _is_about(answer, reference, sent):
        return unknown(f"the bank answered {status} with a body that is not understood")
    reason = answer.get("reason")
    match answer.get("status"):
        case "paid" if status in _DEFINITE:
            return PAID
        case "refused" if status in (*_DEFINITE, HTTPStatus.UNPROCESSABLE_ENTITY) and _is_reason(reason):
            return refused(str(reason))
        case _:
            return unknown(f"the bank answered {status} without a definite outcome")


def _is_about(answer: Mapping[str, Any], reference: str, sent: Transfer | None) -> bool:
    try:
        amount = parse_amount(answer.get("amount"))
    except ValueError:
        return False
    return answer.get("reference") == reference and (sent is None or amount == sent.amount)


def _is_reason(value: object) -> bool:
    return isinstance(value, str) and _REASON.match(value) is not None
