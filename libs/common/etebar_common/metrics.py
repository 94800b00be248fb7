"""What core and settlement tell Prometheus alike: requests by route, and who they are. Served on a port of its own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from etebar_common import tracing
from etebar_common.environment import Environment

logger = logging.getLogger(__name__)

# worker processes of one server share the setting; each takes the next free port
PORTS_TO_TRY = 16
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
# a label never holds what a caller sent: a path that no route has, a method that HTTP does not know
UNMATCHED, OTHER = "unmatched", "other"

REQUESTS = Counter(
    "etebar_http_requests_total", "Requests answered, by the route's template.", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "etebar_http_request_duration_seconds",
    "How long requests took, from the first byte read to the answer, by the route's template.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_PROGRESS = Gauge(
    "etebar_http_requests_in_progress", "Requests that are being answered.", multiprocess_mode="livesum"
)
REQUEST_LOG_DROPPED = Counter(
    "etebar_request_log_dropped_total", "Rows of the request log that could not be kept: its queue was full."
)
BUILD = Gauge(
    "etebar_build_info",
    "Always 1: which version runs, for which profile.",
    ["version", "profile"],
    multiprocess_mode="livemostrecent",
)


def begin_at_zero(counter: Counter, *labels: tuple[str, ...]) -> None:
    """Has the counter tell 0 before its first event: what first appears with 1 has never risen, to Prometheus."""
    for values in labels:
        counter.labels(*values)


def request_answered(method: str, route: str, status: int, seconds: float) -> None:
    """Counts a request; `route` is the template that took it, or UNMATCHED."""
    labels = (method if method in METHODS else OTHER, route)
    REQUESTS.labels(*labels, str(status)).inc()
    REQUEST_SECONDS.labels(*labels).observe(seconds, exemplar())


def exemplar() -> dict[str, str] | None:
    """What leads from a point of a histogram to the trace at hand; None without one."""
    trace_id = tracing.current_trace_id()
    return {"trace_id": trace_id} if trace_id else None


@contextmanager
def in_progress() -> Iterator[None]:
    """While a request is being answered."""
    IN_PROGRESS.inc()
    try:
        yield
    finally:
        IN_PROGRESS.dec()


def serve(settings: Environment, package_version: str, registry: CollectorRegistry = REGISTRY) -> int | None:
    """Answers /metrics on METRICS_PORT or the next free one; returns the port, None when METRICS_PORT is 0.

    Raises SystemExit when none of PORTS_TO_TRY is free.
    """
    BUILD.labels(settings.etebar_version or package_version, settings.etebar_profile.value).set(1)
    first_port = settings.metrics_port
    if not first_port:
        return None
    for port in range(first_port, first_port + PORTS_TO_TRY):
        try:
            start_http_server(port, registry=registry)
        except OSError:
            continue
        logger.info("metrics are on port %d", port)
        return port
    raise SystemExit(f"METRICS_PORT: none of the ports {first_port} to {first_port + PORTS_TO_TRY - 1} is free")
