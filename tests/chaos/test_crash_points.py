"""kill -9 at every crash point that the code has, while merchants withdraw."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from integration import books
from integration import test_decided_outcomes as decided
from integration.api import new_key
from integration.platform import Platform, databases
from integration.waiting import wait_until

from etebar_common.crash import CrashPoint
from etebar_quickstart.stack import MIGRATIONS, Stack

from . import table, test_operator_crashes, test_webhook_crashes
from .conftest import Report
from .experiment import Experiments, Strike
from .promise import Promise
from .recording import Recording

MARK = "crash points"


@dataclass(frozen=True)
class Case:
    """Which process dies there, and what is expected of those who were under way in it."""

    service: str
    point: CrashPoint
    expected: str

    @property
    def promise(self) -> Promise:
        """Of core's death, whose clients have no answer; the others' deaths nobody sees but by a 202."""
        return Promise(self.expected, may_be_silent=self.service == "core")


CASES = (
    Case("core", CrashPoint.BEFORE_RESERVE_COMMIT, "nothing was reserved; the same key runs as a new request"),
    Case("core", CrashPoint.AFTER_RESERVE_COMMIT, "pending, unpaid; the key tells 202, the dispatcher pays once"),
    Case("core", CrashPoint.BEFORE_SETTLE, "pending, unpaid; the key tells 202, the dispatcher pays once"),
    Case("settlement", CrashPoint.AFTER_PAYOUT_RECORDED, "202; recorded and unpaid, paid once after its lease"),
    Case("settlement", CrashPoint.AFTER_RAIL_PAID, "202; the bank is asked by reference and does not pay again"),
    Case("settlement", CrashPoint.AFTER_PAYOUT_DECIDED, "202; settlement tells its decision when asked again"),
    Case("core", CrashPoint.BEFORE_CONFIRM, "pending and paid; the dispatcher learns that it was"),
    Case("core", CrashPoint.BEFORE_CONFIRM_COMMIT, "pending and paid; the dispatcher learns that it was"),
    Case("core", CrashPoint.AFTER_CONFIRM, "final; the key tells the stored answer"),
    Case("worker", CrashPoint.DISPATCH_CLAIMED, "pending until the claim's 30 s are over, then asked about again"),
    Case("worker", CrashPoint.DISPATCH_ANSWERED, "the same; settlement tells its decision again"),
)
DECIDED = Case("worker", CrashPoint.DECISION_CONCLUDED, "settlement has it; it ends as two people decided, once")
OF_MIGRATIONS = {
    CrashPoint.CORE_MIGRATION_APPLIED: ("core", "each migration is whole or not there; the next run goes on"),
    CrashPoint.BEFORE_SETTLEMENT_MIGRATIONS_COMMIT: ("settlement", "nothing is there; the next run does all of it"),
}


def killed_at(case: Case, cause: Callable[[], object] = lambda: None) -> Strike:
    """Arms the point, waits for the process's death there, and lets what supervises it start another one.

    `cause` brings a process to the point, if the load alone does not.
    """

    def strike(platform: Platform, _recording: Recording) -> float:
        platform.arm(case.service, case.point)
        cause()
        wait_until("a process has killed itself", lambda: platform.has_crashed(case.service))
        since = time.monotonic()
        platform.come_back(case.service)
        return since

    return strike


class TestACrashUnderLoad:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.point.value)
    def test_loses_nothing_and_pays_once(
        self, case: Case, platform: Platform, experiments: Experiments, report: Report
    ) -> None:
        name = f"kill -9 of {case.service} at `{case.point.value}`"
        report.add(MARK, experiments.row(name, case.promise, killed_at(case)))


class TestACrashWhileADecisionIsCarriedOut:
    def test_loses_nothing_and_ends_as_decided(
        self, platform: Platform, experiments: Experiments, report: Report
    ) -> None:
        merchant, second = platform.api.merchant(account=decided.DOWN), decided.second_person(platform)
        withdrawal_id = decided.left_unknown(platform, merchant, new_key())
        strike = killed_at(DECIDED, lambda: decided.decide(platform.api, second, withdrawal_id, "refused"))
        name = f"kill -9 of {DECIDED.service} at `{DECIDED.point.value}`"
        report.add(MARK, experiments.row(name, DECIDED.promise, strike))
        assert (merchant.state_of(withdrawal_id), merchant.used()) == ("failed", "0.00")


@pytest.fixture
def unmigrated() -> Iterator[Stack]:
    """Databases without tables."""
    with databases(migrate=False) as stack:
        yield stack


class TestACrashInAMigration:
    @pytest.mark.parametrize("point", OF_MIGRATIONS, ids=lambda point: point.value)
    def test_is_made_good_by_the_next_run(self, point: CrashPoint, unmigrated: Stack, report: Report) -> None:
        service, expected = OF_MIGRATIONS[point]
        armed = unmigrated.state.path / "crash"
        armed.write_text(point)
        directory, arguments = MIGRATIONS[service]
        owner = {"core": unmigrated.environments.core_owner, "settlement": unmigrated.environments.settlement_owner}
        environment = owner[service]() | {"CRASH_POINT_FILE": str(armed)}
        done = subprocess.run([sys.executable, *arguments], check=False, cwd=directory, env=environment)
        assert done.returncode == -9
        since = time.monotonic()
        for each in MIGRATIONS:
            unmigrated.migrate(each)
        with Platform.started(unmigrated) as platform:
            assert platform.api.merchant().withdraw().status_code == 201
            books.assert_books_agree(unmigrated)
        name = f"kill -9 of {service}'s migration at `{point.value}`"
        seconds = time.monotonic() - since
        report.add(MARK, table.Row(name, expected, "nobody was withdrawing", None, None, None, seconds))


def test_every_crash_point_has_a_row() -> None:
    chosen = [case.point for case in (*CASES, DECIDED)] + [
        *OF_MIGRATIONS,
        *test_operator_crashes.EXPECTED,
        *test_webhook_crashes.EXPECTED,
    ]
    assert sorted(chosen) == sorted(CrashPoint)
