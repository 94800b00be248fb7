"""Objects as the API server shows them, a core that can misbehave, and the operator between them."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import SecretStr

from etebar_common.environment import Profile
from onboarding.core_answers import KeptMerchant
from onboarding.desired import MerchantObject
from onboarding.environment import OperatorEnvironment

NAMESPACE = "shops"
TOKEN = "operator-token-" + "t" * 32
WAIT_SECONDS = 6.0
UID = "5f0c1d7e-0000-4000-8000-000000000001"
Body = dict[str, Any]
SPEC: Body = {"username": "shop", "bankAccount": "IRTEST1", "creditLimit": "100.00", "approved": True}


def body(kind: str = "Merchant", *, name: str = "shop", uid: str = UID, **spec: Any) -> Body:
    """An object with what the API server gives each."""
    return {
        "apiVersion": "etebar.dev/v1alpha1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "uid": uid,
            "generation": 1,
            "resourceVersion": "1",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {**(SPEC if kind == "Merchant" else {}), **spec},
    }


def wished(**spec: Any) -> MerchantObject:
    return MerchantObject.of(body(**spec))


def answer(**members: Any) -> Body:
    """Core's answer about a merchant who is as wished."""
    return {
        "merchant_id": 7,
        "username": "shop",
        "state": "approved",
        "state_reason": "",
        "credit_limit": "100.00",
        "utilized_amount": "30.00",
        "available_credit": "70.00",
        "pending_amount": "0.00",
        "has_credentials": True,
        "approval_request": None,
        "drift": [],
        "released": False,
        "waits_for": [],
        **members,
    }


def kept(**members: Any) -> KeptMerchant:
    return KeptMerchant.model_validate(answer(**members))


def drift(field: str, *, corrected: bool = False, expected: str = "100.00", actual: str = "70.00") -> Body:
    return {"field": field, "expected": expected, "actual": actual, "corrected": corrected, "detail": "changed"}


def problem(status: int, code: str, **members: Any) -> tuple[int, Body]:
    return status, {"type": "about:blank", "status": status, "code": code, "detail": f"because of {code}", **members}


Misbehaviour = Callable[[web.Request], Any]


@dataclass
class Core:
    """The internal API over HTTP, keeping what it is told like the real one; `trouble` comes before each answer."""

    url: str = ""
    calls: list[tuple[str, Body]] = field(default_factory=list)
    merchants: dict[str, Body] = field(default_factory=dict)
    top_ups: dict[str, str] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    answers: list[tuple[int, Body]] = field(default_factory=list)
    """What the next calls about an object are answered; the pool is read by a timer, at any moment between them."""
    lost: int = 0
    """How many of the next answers are lost after core did it."""
    slow_seconds: float = 0.0
    extra: Body = field(default_factory=dict)
    """Members of every answer about a merchant."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        sent = await request.json() if request.can_read_body else {}
        self.calls.append((request.path, sent))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._as_json(*problem(401, "operator_token_wrong"))
        await asyncio.sleep(self.slow_seconds)
        if self.answers and not request.path.endswith("/pool"):
            return self._as_json(*self.answers.pop(0))
        done = self._do(request.path, sent)
        if self.lost:
            self.lost -= 1
            assert request.transport is not None
            request.transport.abort()
        return self._as_json(*done)

    def _do(self, path: str, sent: Body) -> tuple[int, Body]:
        if path.endswith("/pool"):
            amounts = ("available_amount", "reserved_amount", "settled_amount", "funded_amount")
            return 200, dict.fromkeys(amounts, "50.00")
        if "/pool-top-ups/" in path:
            return self._top_up(path, sent)
        in_force = (self.merchants.get(path) or {}).get("credentials_version") or 0
        if (sent.get("credentials_version") or in_force) < in_force:
            return problem(409, "credentials_stale", credentials_version=in_force)
        self.merchants[path] = sent
        limit = sent["credit_limit"]
        return 200, answer(credit_limit=limit, released=sent["deletion"] is not None) | self.extra

    def _top_up(self, path: str, sent: Body) -> tuple[int, Body]:
        applied = self.top_ups.setdefault(path, sent["amount"])
        if applied != sent["amount"]:
            return problem(409, "top_up_conflict", applied_amount=applied)
        if path not in self.moved:
            self.moved.append(path)
        return 200, {"top_up_id": "id", "amount": applied, "applied_at": "2026-01-01T00:00:00Z", "first": True}

    @staticmethod
    def _as_json(status: int, members: Body) -> web.Response:
        return web.Response(status=status, body=json.dumps(members), content_type="application/json")

    def wishes(self) -> list[Body]:
        """What was asked of merchants."""
        return [sent for path, sent in self.calls if "/merchants/" in path]


@asynccontextmanager
async def serving(core: Core) -> AsyncIterator[Core]:
    """On a real socket."""
    app = web.Application()
    app.router.add_route("*", "/internal/v1/{tail:.*}", core.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    core.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield core
    finally:
        await runner.cleanup()


def settings(core_url: str, **given: Any) -> OperatorEnvironment:
    """Of an operator whose rounds are short."""
    short: Body = {"resync_seconds": 0.5, "pool_refresh_seconds": 0.3, "core_timeout_seconds": 0.5}
    ours = {"operator_token": SecretStr(TOKEN), "namespace": NAMESPACE, "liveness_port": 0}
    return OperatorEnvironment(core_url=core_url, etebar_profile=Profile.TEST, **short | ours | given)


async def until(what: str, found: Callable[[], Any]) -> Any:
    """Waits for something to be there; AssertionError naming it when it never is."""
    for _ in range(int(WAIT_SECONDS / 0.02)):
        if value := found():
            return value
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {WAIT_SECONDS} s: {what}")
