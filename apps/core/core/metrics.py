"""What this process tells Prometheus; served on METRICS_PORT, never through the API's listener."""

import logging

from prometheus_client import Counter, Histogram, start_http_server

from core.environment import ENVIRONMENT

logger = logging.getLogger(__name__)

# worker processes of one server share the setting; each takes the next free port
PORTS_TO_TRY = 16

LIST_MEMBERS = Histogram(
    "etebar_group_commit_members",
    "Withdrawals in one list, by stage.",
    ["stage"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
WAIT_SECONDS = Histogram(
    "etebar_group_commit_wait_seconds",
    "How long a withdrawal waited for its list to begin, by stage.",
    ["stage"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
LIST_SECONDS = Histogram(
    "etebar_group_commit_duration_seconds",
    "How long a list took, by stage.",
    ["stage"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
OUTCOMES = Counter(
    "etebar_group_commit_outcomes_total",
    "What became of the members of lists, by stage: the outcomes of reserve, settle and confirm.",
    ["stage", "outcome"],
)


def serve() -> int | None:
    """Answers /metrics on METRICS_PORT or the next free one; returns the port, None when METRICS_PORT is 0."""
    first = ENVIRONMENT.metrics_port
    if not first:
        return None
    for port in range(first, first + PORTS_TO_TRY):
        try:
            start_http_server(port)
        except OSError:
            continue
        logger.info("metrics are on port %d", port)
        return port
    raise SystemExit(f"METRICS_PORT: none of the ports {first} to {first + PORTS_TO_TRY - 1} is free")
