"""What goes wrong around the services, while merchants withdraw; docs/failure-modes.md promises what clients see."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libfaketime
import pytest
from integration.platform import Platform, databases

from . import strikes
from .conftest import Report
from .experiment import CORE, Experiments, Strike
from .link import Link, State
from .promise import AWAY, NOTHING, UNAVAILABLE, UNKNOWN, Promise

MARK = "faults"
FAKETIME = Path(libfaketime.__file__).parent / "vendor" / "libfaketime" / "src" / "libfaketime.so.1"
DISK_MEGABYTES = 400
LOCKED = Promise("late answers, or 503 at the deadline", frozenset({AWAY}))
FROZEN = Promise("late answers, 503, or none: the key tells", frozenset({AWAY}), may_be_silent=True)
# it is started with the wrong clock, and again with the right one
RESTARTED = Promise("none while it starts; then nothing", may_be_silent=True)


@dataclass(frozen=True)
class Case:
    name: str
    promise: Promise
    strike: Strike


POSTGRESQL = (
    Case("PostgreSQL is restarted", UNAVAILABLE, strikes.restarted("postgres", "stop")),
    Case("PostgreSQL is killed (-9)", UNAVAILABLE, strikes.restarted("postgres", "kill9")),
    Case("connections are killed in mid-transaction, ten times", UNAVAILABLE, strikes.connections_killed),
    Case("the pool's row is locked for 4 s", LOCKED, strikes.pool_locked),
    Case("statements are cancelled by statement_timeout", UNAVAILABLE, strikes.statements_time_out),
)
REDIS = (
    Case("Redis is killed (-9)", NOTHING, strikes.restarted("redis", "kill9")),
    Case("Redis is flushed 20 times: the broker loses all messages", NOTHING, strikes.messages_lost),
    Case("Redis is out of memory", NOTHING, strikes.redis_full),
)
SERVICES = (
    Case("core is frozen for 4 s", FROZEN, strikes.frozen("core")),
    Case("settlement is frozen for 4 s, and answers late", UNKNOWN, strikes.frozen("settlement")),
    Case("settlement is restarted", UNKNOWN, strikes.restarted("settlement", "stop")),
    Case("the worker is killed (-9) at its tasks, three times", NOTHING, strikes.killed_repeatedly("worker", 3)),
    Case("the worker is frozen for 4 s", NOTHING, strikes.frozen("worker")),
    Case("two workers and two beats dispatch at once", NOTHING, strikes.two_dispatchers),
)
CLOCKS = (
    ("core", "+50s"),
    ("core", "-50s"),
    ("worker", "+1h"),
    ("worker", "-1h"),
    ("settlement", "+1h"),
    ("settlement", "-1h"),
)
LINK = (
    (State.CUT, "core and settlement are cut off from each other, 8 s"),
    (State.REQUESTS_LOST, "what core sends to settlement is lost, 8 s"),
    (State.ANSWERS_LOST, "what settlement answers is lost, 8 s: it has paid, core does not know"),
    (State.SLOW, "settlement's answers are late and out of order, 8 s"),
)


class TestAFaultUnderLoad:
    @pytest.mark.parametrize("case", [*POSTGRESQL, *REDIS, *SERVICES], ids=lambda case: case.name)
    def test_loses_nothing_and_pays_once(
        self, case: Case, platform: Platform, experiments: Experiments, report: Report
    ) -> None:
        report.add(MARK, experiments.row(case.name, case.promise, case.strike))

    @pytest.mark.parametrize(("service", "offset"), CLOCKS)
    def test_of_a_clock_loses_nothing_and_pays_once(
        self, service: str, offset: str, platform: Platform, experiments: Experiments, report: Report
    ) -> None:
        strike = strikes.clock_skewed(service, offset, FAKETIME)
        promise = {"core": RESTARTED, "worker": NOTHING, "settlement": UNKNOWN}[service]
        report.add(MARK, experiments.row(f"the clock of {service} is wrong by {offset}", promise, strike))


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Experiments, Link]]:
    """A platform whose core reaches settlement through a network that can be broken."""
    with databases() as stack:
        link = Link(stack.ports.settlement)
        with link.serving(), Platform.started(stack, {**CORE, "SETTLEMENT_URL": link.url}) as platform:
            yield Experiments(platform, tmp_path_factory.mktemp("linked")), link


class TestANetworkUnderLoad:
    @pytest.mark.parametrize(("state", "name"), LINK, ids=str)
    def test_loses_nothing_and_pays_once(
        self, state: State, name: str, linked: tuple[Experiments, Link], report: Report
    ) -> None:
        experiments, link = linked
        report.add(MARK, experiments.row(name, UNKNOWN, strikes.link_is(link, state)))


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own is mounted, which takes root")
class TestADiskThatIsFull:
    def test_loses_nothing_and_pays_once(
        self, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, report: Report
    ) -> None:
        disk = tmp_path / "disk"
        disk.mkdir()
        for each in (disk, *disk.parents):
            each.chmod(each.stat().st_mode | 0o011)
        with (
            databases() as stack,
            strikes.small_disk(stack, disk, DISK_MEGABYTES) as fill,
            Platform.started(stack, CORE) as platform,
        ):
            experiments = Experiments(platform, tmp_path_factory.mktemp("full"))
            name = "PostgreSQL's disk is full"
            report.add(MARK, experiments.row(name, UNAVAILABLE, strikes.disk_full(fill, disk)))
