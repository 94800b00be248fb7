"""docs/reliability.md shows a run of what there is now: a crash point without a line fails."""

import pytest
from chaos import table

from etebar_common.crash import CrashPoint


class TestTheTables:
    @pytest.mark.parametrize("point", CrashPoint)
    def test_have_a_line_for_each_crash_point(self, point: CrashPoint) -> None:
        assert [name for name in table.faults_of("crash points") if name.endswith(f"at `{point.value}`")]

    @pytest.mark.parametrize("mark", ["crash points", "faults"])
    def test_show_nothing_lost_and_nothing_paid_twice(self, mark: str) -> None:
        rows = table.rows_of(mark)
        assert len(rows) > 10
        assert {(row["lost"], row["double"]) for row in rows} == {("0", "0")}
