"""locust's statistics for Prometheus, on LOADTEST_METRICS_PORT (0 or unset: none).

Of a distributed run the master has everybody's: its workers serve nothing. The response times are locust's own, rounded
as locust rounds them (to two digits), so that the histogram is exact at its buckets' bounds.
"""

import logging
import os
from collections.abc import Iterator

from locust import events
from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import StatsEntry
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

PORT = int(os.environ.get("LOADTEST_METRICS_PORT", "0"))
BUCKETS_MS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
LABELS = ("method", "name")


class Statistics(Collector):
    """Reads what locust has counted so far, at each scrape."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("locust_requests", "Requests that ended, by name.", labels=LABELS)
        failures = CounterMetricFamily("locust_failures", "Those that failed or were untrue, by name.", labels=LABELS)
        times = HistogramMetricFamily("locust_response_seconds", "Response times, by name.", labels=LABELS)
        for entry in list(self._environment.stats.entries.values()):
            labels = (entry.method or "", entry.name)
            requests.add_metric(labels, entry.num_requests)
            failures.add_metric(labels, entry.num_failures)
            times.add_metric(labels, buckets_of(entry), entry.total_response_time / 1000)
        yield from (requests, failures, times)
        runner = self._environment.runner
        yield GaugeMetricFamily("locust_users", "Users at work.", runner.user_count if runner else 0)
        workers = getattr(runner, "worker_count", 0)
        yield GaugeMetricFamily("locust_workers", "Worker processes of a distributed run.", workers)


def buckets_of(entry: StatsEntry) -> list[tuple[str, float]]:
    """Bounds in seconds, and how many requests took at most so long."""
    times = dict(entry.response_times)
    bounds = [(str(bound / 1000), float(_at_most(times, bound))) for bound in BUCKETS_MS]
    return [*bounds, ("+Inf", float(sum(times.values())))]


def _at_most(times: dict[int, int], bound_ms: int) -> int:
    return sum(count for time_ms, count in times.items() if time_ms <= bound_ms)


@events.init.add_listener  # type: ignore[untyped-decorator] # locust has no hints here
def serve(environment: Environment, **_: object) -> None:
    """Answers /metrics from the start of the process until its end."""
    if not PORT or isinstance(environment.runner, WorkerRunner):
        return
    registry = CollectorRegistry()
    registry.register(Statistics(environment))
    start_http_server(PORT, registry=registry)
    logger.info("metrics are on port %d", PORT)
