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
    """Printed at the end of a run; written into the page when all tests were chosen and are green."""
    found = Report()
    yield found
    for mark, rows in found.rows.items():
        sys.stdout.write(f"\n{table.render(rows)}\n")
        chosen = request.config.args
        if not request.session.testsfailed and not request.config.option.keyword and chosen in WHOLE_RUNS:
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
