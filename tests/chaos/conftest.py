"""A platform for many faults, and the table of what was seen."""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from integration.platform import Platform, databases

from . import table
from .experiment import CORE, Experiments

# A line per request would bury what a failed test has to say.
logging.getLogger("httpx2").setLevel(logging.WARNING)

# the arguments of make chaos and make chaos-kind
WHOLE_RUNS = (["tests/chaos"], ["tests/e2e/full/test_92_chaos.py"])

# a verdict over more takes longer than the fault
CHAPTER_EVENTS = 20_000


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


class Chapters:
    """A new platform after so many events: a verdict reads all that a platform's clients were told."""

    def __init__(self, directory: Callable[[str], Path]) -> None:
        self._directory = directory
        self._open = contextlib.ExitStack()
        self._current: Experiments | None = None

    def current(self) -> Experiments:
        """The experiments at hand; on a new platform when the one before has seen enough."""
        if self._current is None or len(self._current.history) > CHAPTER_EVENTS:
            self.close()
            stack = self._open.enter_context(databases())
            platform = self._open.enter_context(Platform.started(stack, CORE))
            self._current = Experiments(platform, self._directory("chaos"))
        return self._current

    def close(self) -> None:
        self._open.close()


@pytest.fixture(scope="session")
def chapters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chapters]:
    found = Chapters(tmp_path_factory.mktemp)
    yield found
    found.close()


@pytest.fixture
def experiments(chapters: Chapters) -> Experiments:
    return chapters.current()


@pytest.fixture
def platform(experiments: Experiments) -> Platform:
    """All services run, whatever the fault before has left."""
    experiments.platform.revive()
    return experiments.platform
