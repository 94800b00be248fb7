"""Tells which of the watched namespaces cannot be read: their objects are not kept, while all others are."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from onboarding import metrics
from onboarding.errors import ClusterUnavailable

logger = logging.getLogger(__name__)


class Cluster(Protocol):
    """What of the API server is needed here; raises ClusterUnavailable when it does not say."""

    async def may_list(self, namespace: str) -> bool: ...


@dataclass(slots=True)
class NamespaceKeeper:
    """`keep` looks until it is cancelled. It changes nothing: kopf's own watches ask again by themselves."""

    cluster: Cluster
    namespaces: Iterable[str]
    pause_seconds: float
    unreachable: set[str] = field(default_factory=set)

    async def keep(self) -> None:
        """A look at each, a pause, and so on."""
        while True:
            for namespace in self.namespaces:
                await self._look(namespace)
            metrics.NAMESPACES_UNREACHABLE.set(len(self.unreachable))
            await asyncio.sleep(self.pause_seconds)

    async def _look(self, namespace: str) -> None:
        try:
            is_reachable = await self.cluster.may_list(namespace)
        except ClusterUnavailable:
            # about the API server, not about the namespace
            return
        if is_reachable and namespace in self.unreachable:
            self.unreachable.remove(namespace)
            logger.info("the namespace %s can be read again", namespace)
        elif not is_reachable and namespace not in self.unreachable:
            self.unreachable.add(namespace)
            logger.error("the namespace %s cannot be read: was it deleted, or its Role? Its objects wait", namespace)
