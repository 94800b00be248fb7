"""docs/reliability.md shows runs of what there is now: a crash point or a fault without a line fails."""

import pytest
from chaos import table, test_faults, test_operator_crashes, test_webhook_crashes
from chaos.test_crash_points import CASES, DECIDED, OF_MIGRATIONS

from etebar_common.crash import CrashPoint

FAULTS = [
    *(case.name for case in (*test_faults.POSTGRESQL, *test_faults.REDIS, *test_faults.SERVICES)),
    *(f"the clock of {service} is wrong by {offset}" for service, offset in test_faults.CLOCKS),
    *(name for _, name in test_faults.LINK),
    "PostgreSQL's disk is full",
    "core is killed (-9) at random moments, ten times",
]


class TestTheTables:
    def test_have_a_line_for_each_crash_point(self) -> None:
        named = [each.rpartition(" at `")[2].rstrip("`") for each in table.faults_of("crash points")]
        assert sorted(named) == sorted(point.value for point in CrashPoint)
        of_others = [*OF_MIGRATIONS, *test_operator_crashes.EXPECTED, *test_webhook_crashes.EXPECTED]
        chosen = [*(each.point for each in (*CASES, DECIDED)), *of_others]
        assert sorted(chosen) == sorted(CrashPoint)

    def test_have_a_line_for_each_fault(self) -> None:
        assert sorted(table.faults_of("faults")) == sorted(FAULTS)

    def test_are_of_one_run(self) -> None:
        assert table.commit_of("crash points") == table.commit_of("faults") != ""

    @pytest.mark.parametrize("mark", ["crash points", "faults", "kind"])
    def test_show_nothing_lost_and_nothing_paid_twice(self, mark: str) -> None:
        rows = table.rows_of(mark)
        assert len(rows) > 10
        assert {(row["lost"], row["double"]) for row in rows} <= {("0", "0"), ("–", "–")}
