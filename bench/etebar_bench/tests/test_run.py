"""A program that is waited for: its output, its failure, and a service that dies meanwhile."""

import os
import sys
import time
from types import SimpleNamespace

import pytest

from etebar_bench.run import run_watched
from etebar_quickstart import QuickstartError


def run(code: str, *deaths: str, seconds: float = 10.0) -> tuple[str, float]:
    platform = SimpleNamespace(deaths=list(deaths))
    return run_watched([sys.executable, "-c", code], platform, seconds=seconds, environment=os.environ)  # type: ignore[arg-type]


class TestRunWatched:
    def test_its_output_and_its_cpu_time_are_returned(self) -> None:
        output, cpu_seconds = run("print(sum(range(3_000_000)))")
        assert output == "4499998500000\n"
        assert 0 < cpu_seconds < 10

    def test_its_failure_is_told_with_what_it_wrote(self) -> None:
        with pytest.raises(QuickstartError, match="ended with code 3") as told:
            run("import sys; print('too many clients', file=sys.stderr); sys.exit(3)")
        assert told.value.details == ("too many clients",)

    def test_a_service_that_died_ends_the_wait(self) -> None:
        begun = time.monotonic()
        with pytest.raises(QuickstartError, match="died under load: core was ended by SIGKILL"):
            run("import time; time.sleep(60)", "core was ended by SIGKILL")
        assert time.monotonic() - begun < 10

    def test_one_that_does_not_end_is_ended(self) -> None:
        with pytest.raises(QuickstartError, match="did not end in time"):
            run("import time; time.sleep(60)", seconds=0.3)
