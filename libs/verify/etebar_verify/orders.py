"""What the recorder's clients ask for, and how their answers are read."""

import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from typing import Any

from etebar_verify.history import Told

PATH = "/api/v1/withdrawals"
BULK_ITEMS = 10
LARGEST_CENTS = 200


@dataclass(frozen=True)
class Caller:
    """A merchant with a token; `is_bulk` for ten withdrawals in each request, `is_patient` for one that repeats."""

    merchant: int
    token: str
    is_bulk: bool = False
    is_patient: bool = True


@dataclass(frozen=True)
class Order:
    """One request: keys with their amounts, the same bytes each time it is sent."""

    caller: Caller
    amounts: Mapping[str, str]

    @classmethod
    def new(cls, caller: Caller, chance: random.Random) -> "Order":
        """Keys that nobody has used."""
        count = BULK_ITEMS if caller.is_bulk else 1
        cents = (chance.randint(1, LARGEST_CENTS) for _ in range(count))
        return cls(caller, {uuid.uuid4().hex: f"{each // 100}.{each % 100:02}" for each in cents})

    @cached_property
    def request(self) -> bytes:
        if self.caller.is_bulk:
            items = [{"idempotency_key": key, "amount": amount} for key, amount in self.amounts.items()]
            return self._post(f"{PATH}/bulk", {"withdrawals": items})
        ((key, amount),) = self.amounts.items()
        return self._post(PATH, {"amount": amount}, f"Idempotency-Key: {key}\r\n")

    def _post(self, path: str, body: Any, headers: str = "") -> bytes:
        content = json.dumps(body)
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.caller.token}\r\n"
            f"Content-Type: application/json\r\n{headers}Content-Length: {len(content)}\r\n\r\n{content}"
        ).encode()

    def told(self, status: int, body: bytes, says_when: bool) -> list[Told]:  # noqa: FBT001 - a part of an answer
        """What an answer says of each key; what is said of a whole list is said of each of it."""
        content = _object(body)
        if status == HTTPStatus.MULTI_STATUS:
            return [told(each["idempotency_key"], each["status"], each["body"]) for each in content["results"]]
        is_asked_back = status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
        known = says_when if is_asked_back else None
        return [replace(told(key, status, content), says_when=known) for key in self.amounts]


def _object(body: bytes) -> dict[str, Any]:
    """The body; empty when a proxy on the way wrote it, who speaks in plain text."""
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def told(key: str, status: int, body: dict[str, Any]) -> Told:
    """What a body says; the problem payout_failed carries its withdrawal inside."""
    shown = body.get("withdrawal", body)
    return Told(key, status, body.get("code"), shown.get("id"), shown.get("amount"), shown.get("state"))
