"""A long steady load: memory and connections of each process stay where they are, tables grow as docs/capacity.md says.

SOAK_MINUTES (10) says how long.
"""

import os
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from integration.api import Api

from e2e.cluster import Cluster
from e2e.load import Load, assert_true, steady_load

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
BETWEEN_SECONDS = 15.0
# merchants' tokens live for 30 minutes: each load has merchants of its own
LOAD_SECONDS = 20 * 60.0
# of two thirds of the time compared: what a process may have gained from the second to the last
MOST_GROWTH, SLACK_MB = 0.05, 8.0
# docs/capacity.md: the upper bound, before vacuum gave space back, and settlement's; of fewer rows pages are less full
MOST_BYTES = 6000
COMPONENTS = ("core-web", "core-worker", "core-beat", "core-internal", "settlement", "operator", "redis")
MEMORY = "grep -h VmRSS /proc/[0-9]*/status"
CONNECTIONS = """SELECT usename::text, count(*) FROM pg_stat_activity
    WHERE usename IN ('wallet_app', 'settlement_app') GROUP BY 1"""
SIZE = "SELECT sum(pg_total_relation_size(c.oid))::bigint AS n FROM pg_class c WHERE c.relkind = 'r' AND c.oid > 16384"
COUNT = "SELECT count(*) AS n FROM payments_withdrawal"


@dataclass
class Soak:
    """Samples by name, in their order: megabytes of each container, connections of each role; bytes per withdrawal."""

    samples: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    bytes_per_withdrawal: float = 0.0
    loads: list[Load] = field(default_factory=list)

    def take(self, cluster: Cluster) -> None:
        """One sample of everything."""
        for component in COMPONENTS:
            for pod in cluster.pods(component):
                name = pod["metadata"]["name"]
                container = pod["spec"]["containers"][0]["name"]
                printed = cluster.execute(name, "sh", "-c", MEMORY, container=container)
                kilobytes = sum(int(line.split()[1]) for line in printed.splitlines())
                self.samples[f"MB of {name}"].append(kilobytes / 1024)
        for role, count in cluster.sql("walletdb", CONNECTIONS):
            self.samples[f"connections of {role}"].append(count)

    def grown(self) -> dict[str, tuple[float, float]]:
        """The means of the second and the last third of what has grown more than it may."""
        found = {}
        for name, values in self.samples.items():
            third = len(values) // 3
            before, after = statistics.mean(values[third : 2 * third]), statistics.mean(values[2 * third :])
            if after > before * (1 + MOST_GROWTH) + (SLACK_MB if name.startswith("MB") else 1):
                found[name] = (before, after)
        return found


def size(cluster: Cluster) -> int:
    return sum(int(cluster.sql(database, SIZE)[0][0]) for database in ("walletdb", "settlementdb"))


@pytest.fixture(scope="module")
def soak(cluster: Cluster, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Soak:
    found = Soak()
    size_before, count_before = size(cluster), cluster.sql("walletdb", COUNT)[0][0]
    ends = time.monotonic() + MINUTES * 60
    while time.monotonic() < ends:
        with steady_load(api, Path(tmp_path_factory.mktemp("soak"))) as load:
            enough = min(ends, time.monotonic() + LOAD_SECONDS)
            while time.monotonic() < enough:
                found.take(cluster)
                time.sleep(BETWEEN_SECONDS)
        found.loads.append(load)
    made = cluster.sql("walletdb", COUNT)[0][0] - count_before
    found.bytes_per_withdrawal = (size(cluster) - size_before) / made
    lines = [
        f"{name}: {values[0]:.0f} to {values[-1]:.0f}, most {max(values):.0f}" for name, values in found.samples.items()
    ]
    lines += [
        f"{made} withdrawals in {MINUTES:.0f} min, {found.bytes_per_withdrawal:.0f} bytes of tables and indexes each"
    ]
    sys.stdout.write("\n".join(["", *lines, ""]))
    return found


class TestALongLoad:
    def test_leaves_memory_and_connections_where_they_were(self, soak: Soak) -> None:
        assert soak.grown() == {}

    def test_grows_tables_as_the_page_says(self, soak: Soak) -> None:
        assert soak.bytes_per_withdrawal < MOST_BYTES

    def test_told_nobody_a_lie(self, cluster: Cluster, soak: Soak) -> None:
        assert soak.loads
        for load in soak.loads:
            assert load.faults == {}, load.summary
            assert_true(cluster, load)
