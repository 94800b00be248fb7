"""The rounds: every row once in each, one after another."""

import dataclasses
import secrets
from collections.abc import Iterator
from pathlib import Path

from etebar_bench import floor, load, usage
from etebar_bench.books import Books, Told
from etebar_bench.generator import Generator, Load
from etebar_bench.measured import EXACT, Answers, Measured
from etebar_bench.settings import Row, Settings, Work
from etebar_bench.stage import Stage
from etebar_quickstart import QuickstartError

WARM_UP_SECONDS = 2
WARM_UP_ROUND = 0


@dataclasses.dataclass(frozen=True)
class Runner:
    """Measures rows on a stage; keys differ between runs by `run`, between rows by their number."""

    stage: Stage
    generator: Generator
    books: Books
    settings: Settings
    run: str = dataclasses.field(default_factory=lambda: secrets.token_hex(6))

    def warm_up(self) -> None:
        """Each kind of work once, not counted; raises QuickstartError when a kind gives nothing final at all."""
        for work in self.settings.works:
            row = max(row for row in self.settings.rows() if row.work is work)
            measured = self.once(row, WARM_UP_ROUND, WARM_UP_SECONDS)
            if not measured.answers.final:
                message = f"no withdrawal of the warm-up ({row}) was settled: {measured.answers.sample or 'no answer'}"
                raise QuickstartError(message, self.stage.stack.process("core").tail())

    def measure(self) -> Iterator[Measured]:
        """Every row of every round, as it is measured."""
        for number in range(1, self.settings.rounds + 1):
            for row in self.settings.in_round(number):
                yield self.once(row, number, self.settings.seconds)

    def once(self, row: Row, number: int, seconds: int) -> Measured:
        """One row, as round `number` of it."""
        work = self._floor if row.work is Work.FLOOR else self._http
        before = usage.cpu_seconds(self.stage.stack)
        answers, books, after = work(row, number, seconds)
        used = usage.used_since(before, after) | {"generator": answers.generator_cpu_seconds}
        memory = {name: size for name, size in usage.memory(self.stage.stack).items() if isinstance(size, int)}
        return Measured(row=row, round=number, answers=answers, books=books, cpu_seconds=used, memory=memory)

    def _floor(self, row: Row, _number: int, seconds: int) -> tuple[Answers, str, dict[str, float]]:
        before = self.books.floor_state()
        answers = floor.run(self.stage, row.clients, seconds)
        after = usage.cpu_seconds(self.stage.stack)
        return answers, self.books.compare_floor(before, answers.final), after

    def _http(self, row: Row, number: int, seconds: int) -> tuple[Answers, str, dict[str, float]]:
        prefix = f"{self.run}-{number}-{row.work}-{row.clients}-"
        ids = self.stage.directory / "ids"
        answers = load.run(self.stage, self.generator, Load(row, seconds, self.stage.tokens, prefix, ids))
        after = usage.cpu_seconds(self.stage.stack)
        told = _taken(ids)
        books = self.books.compare(Told(prefix, told, row.clients * row.batch + answers.pending))
        if books == EXACT and len(told) != answers.final:
            books = f"{len(told)} ids kept of {answers.final} withdrawals"
        return answers, books, after


def _taken(path: Path) -> list[str]:
    lines = path.read_text().split()
    path.unlink()
    return lines
