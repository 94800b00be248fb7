"""kopf's side: one reconcile for create, update, resume and timer; a deleted merchant waits for core's word."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import kopf

from onboarding import metrics, status, top_ups
from onboarding.conditions import is_so
from onboarding.core_client import CoreClient
from onboarding.desired import GROUP, MERCHANTS, TOP_UPS, VERSION, MerchantObject
from onboarding.environment import OperatorEnvironment
from onboarding.merchants import MerchantReconciler
from onboarding.result import Result

logger = logging.getLogger(__name__)

PREFIX = "onboarding.etebar.dev"
MERCHANT, TOP_UP = "Merchant", "PoolTopUp"
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 2.0, 15.0
# above what core's internal listener works on at once, nothing is won but timeouts
AT_ONCE = 8
# a newer version that is on its way is here before that
STALE_ANSWERS = 3


@dataclass(frozen=True, slots=True)
class Handlers:
    """What kopf calls; `add_to` a registry."""

    settings: OperatorEnvironment
    core: CoreClient
    merchants: MerchantReconciler
    counted: metrics.Counted = field(default_factory=metrics.Counted)
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def add_to(self, registry: kopf.OperatorRegistry) -> None:
        """Every handler, and how the operator signs in to the API server."""
        kopf.on.login(registry=registry)(sign_in)
        self._add(registry, MERCHANTS, self.merchant)
        self._add(registry, TOP_UPS, self.top_up)
        kopf.on.delete(GROUP, VERSION, MERCHANTS, registry=registry)(self.merchant)
        # not for top-ups: what has a timer has a finalizer, and nobody is to wait for the operator to delete one
        kopf.timer(
            GROUP,
            VERSION,
            MERCHANTS,
            registry=registry,
            interval=self.settings.resync_seconds,
            initial_delay=self._first_resync,
        )(self.merchant)

    def _add(self, registry: kopf.OperatorRegistry, plural: str, handle: Callable[..., Any]) -> None:
        kopf.on.resume(GROUP, VERSION, plural, registry=registry)(handle)
        kopf.on.create(GROUP, VERSION, plural, registry=registry)(handle)
        kopf.on.update(GROUP, VERSION, plural, registry=registry)(handle)
        kopf.on.event(GROUP, VERSION, plural, registry=registry)(self.seen)

    def _first_resync(self, **_: Any) -> float:
        """Not all of them at once."""
        return random.uniform(0.5, 1.5) * self.settings.resync_seconds  # noqa: S311 - no secret

    async def merchant(self, **given: Any) -> None:
        """Brings core to the object, and its status to core."""

        async def reconcile(body: kopf.Body) -> Result:
            is_registered = body.get("status", {}).get("merchantId") is not None
            return await self.merchants.reconcile(MerchantObject.of(body), is_registered=is_registered)

        await self._reconcile(MERCHANT, reconcile, **given)

    async def top_up(self, **given: Any) -> None:
        """Tops the pool up, once."""
        await self._reconcile(TOP_UP, lambda body: top_ups.reconcile(self.core, body), **given)

    async def seen(self, event: kopf.RawEvent, body: kopf.Body, **_: Any) -> None:
        """An object that is gone counts no more."""
        if event["type"] == "DELETED":
            self.counted.forget(body["kind"], body["metadata"]["uid"])

    async def _reconcile(
        self,
        kind: str,
        reconcile: Callable[[kopf.Body], Awaitable[Result]],
        *,
        body: kopf.Body,
        patch: kopf.Patch,
        memo: kopf.Memo,
        retry: int,
        **_: Any,
    ) -> None:
        # a timer and a change of the same object wait for each other
        lock: asyncio.Lock = memo.setdefault("lock", asyncio.Lock())
        async with lock, metrics.measured(kind, self.gate):
            result = _told_when_stale(await reconcile(body), memo)
        metrics.count(kind, result)
        patch.status.update(status.changes(body, result, datetime.now(UTC)))
        for event in status.events(body, result):
            kopf.event(body, type=event.type, reason=event.reason, message=event.message)
            about = {"kind": kind, "object": f"{body['metadata']['namespace']}/{body['metadata']['name']}"}
            logger.info("%s", event.message, extra=about | {"reason": event.reason})
        conditions = patch.status.get("conditions", body.get("status", {}).get("conditions", []))
        self.counted.see(kind, body["metadata"]["uid"], {each["type"]: each["status"] for each in conditions})
        if result.retry:
            told = result.conditions[-1].message if result.conditions else "core has seen a newer version"
            raise kopf.TemporaryError(told, delay=retry_seconds(retry))


def sign_in(**given: Any) -> kopf.ConnectionInfo | None:
    """As the pod's service account; outside of a cluster as the kubeconfig says."""
    return kopf.login_with_service_account(**given) or kopf.login_with_kubeconfig(**given)


def retry_seconds(retry: int) -> float:
    """The wait before the next try, `retry` of which were made before: from 2 s up to 15 s."""
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(retry, 4), LONGEST_RETRY_SECONDS)


def _told_when_stale(result: Result, memo: kopf.Memo) -> Result:
    """A stale version is nothing to tell of, unless it stays: after a restore of the cluster's own data."""
    memo["stale"] = memo.get("stale", 0) + 1 if result.is_stale else 0
    if memo["stale"] < STALE_ANSWERS:
        return result
    message = "core has seen a newer version of this object: was the cluster restored? Make the object anew"
    return Result([is_so("Ready", value=False, reason="VersionStale", message=message)], retry=result.retry)
