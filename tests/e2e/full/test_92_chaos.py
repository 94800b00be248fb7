"""What goes wrong on a cluster, under load through the ingress: crash points, partitions, killed containers, a drain.

`make chaos-kind` runs it on a cluster of its own. The processes run in the test profile, which alone arms crash points.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from chaos import table, verdict
from chaos.conftest import Report
from chaos.promise import AWAY, NOTHING, UNKNOWN, Promise
from integration.api import ASYNC, Api
from integration.waiting import wait_until

from e2e.cluster import NAME, RELEASE, Cluster, CommandError, run
from e2e.load import Load, steady_load
from etebar_common.crash import CrashPoint
from etebar_verify.books import Books, read_databases
from etebar_verify.history import Event

MARK = "kind"
ARMED = "/tmp/crash"  # noqa: S108 - in a pod
CUT_SECONDS = 8.0
REPLICATED = ("core-web", "core-worker", "settlement")
UNAVAILABLE = Promise("503, or 202; ask again with the same key", frozenset({AWAY}), may_be_silent=True)
# of a pod that is gone the ingress says so, for as long as it is not told
INGRESS = frozenset({"502", "503", "504"})
# the release's limits are on: a merchant who asks for more than they allow is told so, whatever else goes wrong
LIMITED = frozenset({"429 rate_limited"})
UNREACHED = Promise(
    "503 of core or the ingress, or 202; ask again with the same key", INGRESS | {AWAY}, may_be_silent=True
)

Strike = Callable[[Cluster, Api], object]


def change_profile(cluster: Cluster, profile: str, *arguments: str) -> None:
    """Another profile, in the databases' records and in the processes; a real installation cannot do that."""
    for database, place in (("walletdb", "payments_deployment"), ("settlementdb", "deployment")):
        statement = f"UPDATE {place} SET profile = '{profile}'"
        cluster.execute("postgresql-0", "psql", "-U", "postgres", "-d", database, "-c", statement)
    cluster.upgrade(None, *arguments)


@pytest.fixture(scope="module", autouse=True)
def _crashable(cluster: Cluster) -> None:
    """The test profile."""
    # the migrations' Jobs name the profile themselves, and have nothing to do
    arguments = ["--set", "migrations.enabled=false"]
    for component in ("core", "settlement"):
        for number, (name, value) in enumerate((("ETEBAR_PROFILE", "test"), ("CRASH_POINT_FILE", ARMED))):
            place = f"{component}.extraEnv[{number}]"
            arguments += ["--set-string", f"{place}.name={name}", "--set-string", f"{place}.value={value}"]
    change_profile(cluster, "test", *arguments)


def all_books(cluster: Cluster) -> Books:
    """Both databases, read by the auditor's role."""
    with cluster.audited() as auditor:
        return read_databases(*auditor)


@dataclass
class Experiments:
    """All that was told on this cluster so far."""

    cluster: Cluster
    api: Api
    history: list[Event]

    def row(self, name: str, promise: Promise, strike: Strike, directory: Path) -> table.Row:
        """Strikes under load; AssertionError when anything is not true at the end."""
        with steady_load(self.api, directory) as load:
            strike(self.cluster, self.api)
            since = time.monotonic()
            load.go_on()
        assert load.recorder_code == 0, load.summary
        return self._row(name, promise, load, since)

    def _row(self, name: str, promise: Promise, load: Load, since: float) -> table.Row:
        self.history += load.events
        pending = "SELECT count(*) AS n FROM payments_withdrawal WHERE state = 'pending'"
        wait_until("none is pending", lambda: self.cluster.sql("walletdb", pending) == [[0]], 180)
        self.cluster.assert_books_agree()
        found = verdict.judged(self.history, all_books(self.cluster))
        observed = verdict.what_was_told(load.events)
        lies = [*found.lies, *replace(promise, told=promise.told | LIMITED).broken_by(load.events)]
        assert not lies, (name, observed, *lies[:20])
        assert found.is_true
        answers = verdict.answers(load.events)
        return table.Row(name, promise.text, observed, answers, found.lost, found.double, time.monotonic() - since)


@pytest.fixture(scope="module")
def experiments(cluster: Cluster, api: Api) -> Experiments:
    return Experiments(cluster, api, [])


def crash_at(component: str, container: str, point: CrashPoint) -> Strike:
    """Arms the point in each pod, and waits until a process has killed itself there."""

    def strike(cluster: Cluster, api: Api) -> None:
        pods = [pod["metadata"]["name"] for pod in cluster.pods(component)]

        def each(script: str) -> list[str]:
            return [cluster.execute(pod, "sh", "-c", script, container=container).strip() for pod in pods]

        def has_died() -> bool:
            try:
                return "gone" in each(f"test -e {ARMED} || echo gone")
            except CommandError:  # there is no container to look into
                return True

        def disarmed() -> bool:
            try:
                return not any(each(f"rm -f {ARMED}"))
            except CommandError:  # a container is about to be started again
                return False

        each(f"printf {point.value} > {ARMED}")
        if component == "core-worker":
            for _ in range(10):
                api.merchant().withdraw(**ASYNC)
        wait_until("a process has killed itself", has_died, 90)
        cluster.wait_until_ready(component, 2)
        wait_until("no pod is armed any more", disarmed, 90)
        wait_until("core serves", lambda: api.send("GET", "/admin/pool", headers=api.admin).is_success, 90)

    return strike


def addresses(cluster: Cluster, *components: str) -> list[str]:
    return [pod["status"]["podIP"] for each in components for pod in cluster.pods(each)]


@contextmanager
def dropped(pairs: list[tuple[str, str]]) -> Iterator[None]:
    """What goes from the first to the second address of a pair is dropped, on every node."""
    nodes = run("kind", "get", "nodes", "--name", NAME).split()
    rules = [
        (node, ("FORWARD", "-s", source, "-d", target, "-j", "DROP")) for node in nodes for source, target in pairs
    ]
    for node, rule in rules:
        run("docker", "exec", node, "iptables", "-I", *rule)
    try:
        yield
    finally:
        for node, rule in rules:
            run("docker", "exec", node, "iptables", "-D", *rule)


def cut(*, requests: bool, answers: bool) -> Strike:
    """Core and settlement lose what goes one way, or both, in the nodes."""

    def strike(cluster: Cluster, _: Api) -> None:
        core, settlement = addresses(cluster, "core-web", "core-worker"), addresses(cluster, "settlement")
        to, back = [(a, b) for a in core for b in settlement], [(b, a) for a in core for b in settlement]
        with dropped([*(to if requests else []), *(back if answers else [])]):
            time.sleep(CUT_SECONDS)

    return strike


def container_killed(component: str, container: str) -> Strike:
    """Kill -9 of a container's main process from its node, in each of the component's pods, one after the other."""

    def strike(cluster: Cluster, _: Api) -> None:
        for pod in cluster.pods(component):
            before = cluster.restarts(component)
            statuses = [*pod["status"].get("initContainerStatuses", []), *pod["status"]["containerStatuses"]]
            (found,) = [each["containerID"].rpartition("/")[2] for each in statuses if each["name"] == container]
            node = pod["spec"]["nodeName"]
            # the first process of the container, as its node knows it
            shown = run("docker", "exec", node, "sh", "-c", f"grep -l {found} /proc/[0-9]*/cgroup || true")
            processes = sorted(int(path.split("/")[2]) for path in shown.split())
            run("docker", "exec", node, "kill", "-9", str(processes[0]))
            if container != "pgbouncer":
                wait_until("it was started again", lambda before=before: cluster.restarts(component) > before, 60)
            wait_until("it is ready", lambda: cluster.ready(component) == len(cluster.pods(component)), 90)

    return strike


def pod_killed(component: str) -> Strike:
    """The pod is gone without a word, and another one comes."""

    def strike(cluster: Cluster, _: Api) -> None:
        (pod,) = cluster.pods(component)
        cluster.kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force", "--wait=false")
        cluster.wait_until_ready(component, 1)

    return strike


def node_drained(cluster: Cluster, _: Api) -> None:
    """One that PostgreSQL is not on."""
    database = cluster.pods("postgresql")[0]["spec"]["nodeName"]
    (node,) = {f"{NAME}-worker", f"{NAME}-worker2"} - {database}
    try:
        cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=4m")
        for component in REPLICATED:
            cluster.wait_until_ready(component, 2)
    finally:
        cluster.kubectl("uncordon", node)


RESERVED = Promise("502 or none; pending; the key tells 202, the dispatcher pays once", INGRESS, may_be_silent=True)
PAID = Promise("502 or none; pending and paid; the dispatcher learns that it was", INGRESS, may_be_silent=True)
CASES: dict[str, tuple[Promise, Strike]] = {
    f"kill -9 of {component} at `{point.value}`": (promise, crash_at(component, container, point))
    for component, container, point, promise in (
        ("core-web", "web", CrashPoint.AFTER_RESERVE_COMMIT, RESERVED),
        ("core-web", "web", CrashPoint.BEFORE_CONFIRM, PAID),
        ("core-worker", "worker", CrashPoint.DISPATCH_CLAIMED, Promise("pending until the claim's 30 s are over")),
    )
} | {
    "core and settlement are cut off from each other, 8 s": (UNKNOWN, cut(requests=True, answers=True)),
    "what core sends to settlement is lost, 8 s": (UNKNOWN, cut(requests=True, answers=False)),
    "what settlement answers is lost, 8 s": (UNKNOWN, cut(requests=False, answers=True)),
    "PgBouncer is killed (-9) in each web pod": (UNREACHED, container_killed("core-web", "pgbouncer")),
    "settlement is killed (-9) in each pod": (UNKNOWN, container_killed("settlement", "settlement")),
    "Redis' pod is killed": (NOTHING, pod_killed("redis")),
    "PostgreSQL's pod is killed": (UNAVAILABLE, pod_killed("postgresql")),
    "a node is drained": (NOTHING, node_drained),
}


class TestAFaultOnACluster:
    @pytest.mark.parametrize("name", CASES)
    def test_loses_nothing_and_pays_once(
        self, name: str, experiments: Experiments, report: Report, tmp_path: Path
    ) -> None:
        promise, strike = CASES[name]
        report.add(MARK, experiments.row(name, promise, strike, tmp_path))

    def test_leaves_a_release_that_passes_its_own_tests(self, cluster: Cluster) -> None:
        change_profile(cluster, "sandbox")
        printed = cluster.helm("test", RELEASE, "--logs", "--timeout", "5m")
        assert "nothing but the truth" in printed
