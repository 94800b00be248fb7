"""What the operator tells Prometheus; labels are of our own making only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Counter, Gauge, Histogram

from onboarding.errors import ClusterUnavailable
from onboarding.result import Result

RECONCILES = Counter("etebar_onboarding_reconciles_total", "Reconciles, by kind and outcome.", ["kind", "outcome"])
SECONDS = Histogram(
    "etebar_onboarding_reconcile_duration_seconds",
    "How long a reconcile took.",
    ["kind"],
    buckets=(0.01, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20),
)
ERRORS = Counter(
    "etebar_onboarding_errors_total", "Reconciles that are to be repeated, by the reason told.", ["kind", "reason"]
)
QUEUE = Gauge("etebar_onboarding_queue", "Reconciles that wait for others to end.", ["kind"])
UNDER_WAY = Gauge("etebar_onboarding_reconciles_in_progress", "Reconciles under way.", ["kind"])
NAMESPACES_UNREACHABLE = Gauge(
    "etebar_onboarding_namespaces_unreachable", "Watched namespaces whose objects may not be read."
)
OBJECTS = Gauge("etebar_onboarding_objects", "Objects, by a condition's status.", ["kind", "condition", "status"])


@asynccontextmanager
async def measured(kind: str, gate: asyncio.Semaphore) -> AsyncIterator[None]:
    """Waits at the gate, then times a reconcile; counts one that ends in an exception, which goes on its way."""
    with QUEUE.labels(kind).track_inprogress():
        await gate.acquire()
    try:
        with UNDER_WAY.labels(kind).track_inprogress(), SECONDS.labels(kind).time():
            yield
    except Exception as error:
        RECONCILES.labels(kind, "retry").inc()
        ERRORS.labels(kind, "ClusterUnavailable" if isinstance(error, ClusterUnavailable) else "Exception").inc()
        raise
    finally:
        gate.release()


def count(kind: str, result: Result) -> None:
    """Counts an outcome; what is to be tried again, by the reason told."""
    RECONCILES.labels(kind, "retry" if result.retry else "done").inc()
    if result.retry:
        ERRORS.labels(kind, result.conditions[-1].reason if result.conditions else "VersionStale").inc()


class Counted:
    """How many objects have which condition, by what was last known of each."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], dict[str, str]] = {}

    def see(self, kind: str, uid: str, conditions: dict[str, str]) -> None:
        """An object's conditions are these now."""
        self.forget(kind, uid)
        self._known[kind, uid] = conditions
        self._add(kind, conditions, 1)

    def forget(self, kind: str, uid: str) -> None:
        """The object is gone."""
        self._add(kind, self._known.pop((kind, uid), {}), -1)

    @staticmethod
    def _add(kind: str, conditions: dict[str, str], count: int) -> None:
        for condition, status in conditions.items():
            OBJECTS.labels(kind, condition, status).inc(count)
