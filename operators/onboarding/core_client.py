"""A client of core's internal API (docs/api/core-internal.json). Every call may be repeated."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import ValidationError

from etebar_common.crash import CrashPoint, crash_point
from onboarding.core_answers import Answer, KeptMerchant, KeptTopUp, PoolAmounts
from onboarding.errors import CoreRefused, CoreUnavailable

CONNECT_SECONDS = 3.0
# Who could not connect is believed for so long: hundreds of objects learn at once that core is away, and core is not
# met by all of them when it is back.
AWAY_SECONDS = 2.0
# answers that say nothing about the wish: it is sent again
PASSING = frozenset({408, 425, 429})
FIRST_ERROR, FIRST_SERVER_ERROR = 400, 500
A = TypeVar("A", bound=Answer)


class CoreClient:
    """Raises CoreUnavailable and CoreRefused, nothing else; `connected` makes one."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, f"{url}/internal/v1"
        self._away_until, self._away_for = 0.0, ""

    async def keep_merchant(self, namespace: str, name: str, wish: Mapping[str, Any]) -> KeptMerchant:
        """PUT of an object's wish."""
        return await self._keep(KeptMerchant, f"merchants/{namespace}/{name}", wish)

    async def keep_top_up(self, namespace: str, reference: str, name: str, amount: str) -> KeptTopUp:
        """Tops the pool up, once per namespace and reference."""
        path = f"pool-top-ups/{namespace}/{quote(reference, safe='')}"
        return await self._keep(KeptTopUp, path, {"name": name, "amount": amount})

    async def pool(self) -> PoolAmounts:
        """What is in the pool."""
        return _read(PoolAmounts, await self._ask("GET", "pool", None))

    async def _keep(self, kind: type[A], path: str, wish: Mapping[str, Any]) -> A:
        members = await self._ask("PUT", path, wish)
        crash_point(CrashPoint.OPERATOR_CORE_ANSWERED)
        return _read(kind, members)

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        if time.monotonic() < self._away_until:
            raise CoreUnavailable(self._away_for)
        try:
            async with self._session.request(method, f"{self._url}/{path}", json=body) as answer:
                return _members(answer.status, await answer.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            self._away_until, self._away_for = time.monotonic() + AWAY_SECONDS, f"core cannot be reached: {error}"
            raise CoreUnavailable(self._away_for) from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CoreUnavailable(f"core does not answer: {error or type(error).__name__}") from error


@asynccontextmanager
async def connected(url: str, token: str, timeout_seconds: float) -> AsyncIterator[CoreClient]:
    """A client that keeps its connections while the context lasts."""
    timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=CONNECT_SECONDS)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}, timeout=timeout) as session:
        yield CoreClient(session, url)


def _members(status: int, content: bytes) -> Any:
    try:
        members = json.loads(content)
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise CoreUnavailable(f"core answered {status} without a JSON object")
    if status >= FIRST_SERVER_ERROR or status in PASSING:
        raise CoreUnavailable(f"core answered {status}: {members.get('detail') or members.get('title', '')}")
    if status >= FIRST_ERROR:
        detail = str(members.get("detail") or members.get("title", ""))
        raise CoreRefused(status, str(members.get("code", "")), detail, members)
    return members


def _read(kind: type[A], members: Any) -> A:
    try:
        return kind.model_validate(members)
    except ValidationError as error:
        raise CoreUnavailable(
            f"core's answer is not understood: {error.error_count()} members are not right"
        ) from error
