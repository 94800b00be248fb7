"""What worker and beat tell Prometheus of Celery's tasks.

The worker's tasks run in child processes, which share their numbers by files where PROMETHEUS_MULTIPROC_DIR names a
directory (empty when the worker starts); its parent serves them.
"""

import os
import time
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from core import metrics

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
PUBLISHED_AT = "published_at"

TASKS = Counter("etebar_celery_tasks_total", "Tasks that ended, by success or failure.", ["task", "outcome"])
TASK_SECONDS = Histogram(
    "etebar_celery_task_duration_seconds",
    "How long tasks took.",
    ["task"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)

_begun: dict[str, float] = {}


def serve_children() -> None:
    """Serves the numbers of this process and its children, or its own where they share none."""
    registry = REGISTRY
    if os.environ.get(DIRECTORY):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    metrics.serve(registry)


def child_ended(pid: int) -> None:
    """Forgets gauges of a child; what it counted stays."""
    if os.environ.get(DIRECTORY):
        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def stamp(headers: dict[str, Any] | None) -> None:
    """Notes in a message when it was published, so that the age of a queue can be told."""
    if headers is not None:
        headers[PUBLISHED_AT] = time.time()


def begin(task_id: str) -> None:
    """A task begins in this process."""
    _begun[task_id] = time.monotonic()


def end(task_id: str, task: str, state: str | None) -> None:
    """It has ended, in Celery's state."""
    name = task.rpartition(".")[2]
    TASKS.labels(name, "success" if state == "SUCCESS" else "failure").inc()
    TASK_SECONDS.labels(name).observe(time.monotonic() - _begun.pop(task_id, time.monotonic()))
