"""One run: every variant in every round, proof, and the page."""

import dataclasses
import datetime as dt
import os
from collections import Counter
from collections.abc import Iterator

from etebar_bench import generator, machine, table
from etebar_bench.bench import prove, settings_told
from etebar_bench.books import Books, open_books
from etebar_bench.document import Proof
from etebar_bench.generator import Generator
from etebar_bench.observability import page
from etebar_bench.observability.beside import Sink, sink
from etebar_bench.observability.page import Taken
from etebar_bench.observability.variants import VARIANTS, Services, Variant
from etebar_bench.rounds import WARM_UP_ROUND, WARM_UP_SECONDS, Runner
from etebar_bench.settings import Row, Settings, Work
from etebar_bench.stage import Stage, staged
from etebar_quickstart.ports import free_port
from etebar_quickstart.printer import Printer


def run(settings: Settings, printer: Printer) -> int:
    """0 when there was no error and the books are exact, else 1; raises QuickstartError when a run is impossible."""
    chosen = generator.find(settings.generator)
    with staged(settings, printer) as stage, open_books(stage.stack) as books, sink() as collector:
        load_before = os.getloadavg()
        ports = {"core": free_port(), "settlement": free_port()}
        rounds = Rounds(stage, chosen, books, settings, Services(stage.stack, collector, ports), printer)
        taken = list(rounds.measure())
        remarks = [*_remarks(taken, collector, rounds.read, load_before), *settings.remarks]
        facts = {**machine.facts(), **settings_told(settings, chosen, stage)}
        proof = prove(stage, books)
    for line in (*table.aligned(page.COLUMNS, page.rows(taken)), *remarks):
        printer.line(line)
    if settings.writes:
        date = dt.datetime.now().astimezone().date()
        path = settings.output / f"observability-{date.isoformat()}.md"
        path.write_text(page.page(date, taken, proof, facts, remarks))
        printer.done(f"wrote {path}")
    return _told(taken, proof, printer)


@dataclasses.dataclass(frozen=True)
class Rounds:
    """`read` counts, by service, how often its metrics were read."""

    stage: Stage
    generator: Generator
    books: Books
    settings: Settings
    services: Services
    printer: Printer
    read: Counter[str] = dataclasses.field(default_factory=Counter)

    def measure(self) -> Iterator[Taken]:
        """Every variant in each round, every other round backwards."""
        for number in range(1, self.settings.rounds + 1):
            for variant in VARIANTS if number % 2 else VARIANTS[::-1]:
                with self.services.running(variant) as answered:
                    yield from self._rows(variant, number)
                self.read.update(answered)

    def _rows(self, variant: Variant, number: int) -> Iterator[Taken]:
        # keys differ by the runner's own run
        runner = Runner(self.stage, self.generator, self.books, self.settings)
        runner.once(Row(Work.SINGLE, max(self.settings.clients)), WARM_UP_ROUND, WARM_UP_SECONDS)
        for clients in self.settings.clients:
            one = Taken(variant, runner.once(Row(Work.SINGLE, clients), number, self.settings.seconds))
            self._tell(one)
            yield one

    def _tell(self, one: Taken) -> None:
        measured = one.measured
        self.printer.line(
            f"round {measured.round}/{self.settings.rounds}  {one.variant.name:<12}  {measured.row}"
            f"  {measured.final_per_s:>8,.0f}/s  errors {measured.answers.errors}  books {measured.books}"
        )


def _remarks(taken: list[Taken], collector: Sink, read: Counter[str], load: tuple[float, float, float]) -> list[str]:
    traced = sum(one.measured.answers.final for one in taken if one.variant.ratio)
    scrapes = ", ".join(f"{name} {count} times" for name, count in sorted(read.items()) if count) or "of nobody"
    return [
        f"metrics were read: {scrapes}",
        f"spans were received: {collector.received_bytes / 1e6:.1f} MB, of {traced:,} withdrawals and more",
        f"load of the machine (1, 5, 15 minutes) before the first row: {_loads(load)}",
        f"the same after the last: {_loads(os.getloadavg())}",
    ]


def _loads(load: tuple[float, float, float]) -> str:
    return ", ".join(f"{each:.1f}" for each in load)


def _told(taken: list[Taken], proof: Proof, printer: Printer) -> int:
    if proof.holds and all(one.measured.is_sound for one in taken):
        printer.done("no errors, and the books are exact")
        return 0
    printer.failure("there were errors, or the books are not exact: see above")
    return 1
