"""Keeps the CreditPool: an object that the operator makes and shows core's pool in, however often somebody deletes it.

Without kopf, whose timers hold objects by a finalizer: this one must go with its namespace, operator or not.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from onboarding import metrics, pool, status
from onboarding.cluster import Cluster
from onboarding.core_client import CoreClient
from onboarding.environment import OperatorEnvironment
from onboarding.errors import ClusterUnavailable

logger = logging.getLogger(__name__)
KIND, PLURAL = "CreditPool", "creditpools"


@dataclass(frozen=True, slots=True)
class PoolKeeper:
    """`keep` runs until it is cancelled."""

    settings: OperatorEnvironment
    core: CoreClient
    cluster: Cluster
    counted: metrics.Counted = field(default_factory=metrics.Counted)

    async def keep(self) -> None:
        """A round, a pause, and so on."""
        gate = asyncio.Semaphore()
        while True:
            try:
                async with metrics.measured(KIND, gate):
                    await self._round()
            except ClusterUnavailable as error:
                logger.warning("the CreditPool is not kept: %s", error)
            await asyncio.sleep(self.settings.pool_refresh_seconds)

    async def _round(self) -> None:
        mark = self.settings.low_water_mark
        body = await self.cluster.ensure(PLURAL, pool.manifest(self.settings.namespace, mark))
        result = await pool.reconcile(self.core, mark, datetime.now(UTC))
        metrics.count(KIND, result)
        changed = status.changes(body, result, datetime.now(UTC))
        self._count(body, changed)
        for event in status.events(body, result):
            logger.info("%s", event.message, extra={"kind": KIND, "reason": event.reason})
            await self.cluster.tell(body, event)
        # last: what is shown is not told again, so what could not be told must not be shown
        await self.cluster.show(PLURAL, body, changed)

    def _count(self, body: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
        conditions = changed.get("conditions", body.get("status", {}).get("conditions", []))
        self.counted.see(KIND, body["metadata"]["uid"], {each["type"]: each["status"] for each in conditions})
