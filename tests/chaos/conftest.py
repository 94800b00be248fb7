"""One platform for all faults, and the table of what was seen."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from integration.platform import Platform, databases

from . import table
from .experiment import CORE, Experiments

# A line per request would bury what a failed test has to say.
logging.getLogger("httpx2").setLevel(logging.WARNING)

# the arguments of make chaos and make chaos-kind
WHOLE_RUNS = (["tests/chaos"], ["tests/e2e/full/test_92_chaos.py"])


@dataclass
class Report:
    """The rows of this run; each test that adds one names the table by its mark."""

    rows: dict[str, list[table.Row]] = field(default_factory=dict)

    def add(self, mark: str, row: table.Row) -> None:
        self.rows.setdefault(mark, []).append(row)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Iterator[Report]:
    """Printed at the end of a run; written into the page when all tests were chosen, none skipped and all are green."""
    found = Report()
    yield found
    told = request.config.pluginmanager.get_plugin("terminalreporter")
    is_whole = request.config.args in WHOLE_RUNS and not request.config.option.keyword
    is_green = not request.session.testsfailed and told is not None and not told.stats.get("skipped")
    for mark, rows in found.rows.items():
        sys.stdout.write(f"\n{table.render(rows)}\n")
        if is_whole and is_green:
            table.write(mark, rows)


@pytest.fixture(scope="session")
def chaos_platform() -> Iterator[Platform]:
    with databases() as stack, Platform.started(stack, CORE) as platform:
        yield platform


@pytest.fixture(scope="session")
def experiments(chaos_platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Experiments:
    return Experiments(chaos_platform, tmp_path_factory.mktemp("chaos"))


@pytest.fixture
def platform(chaos_platform: Platform) -> Platform:
    """All services run, whatever the fault before has left."""
    chaos_platform.revive()
    return chaos_platform
