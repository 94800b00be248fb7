"""One run from the first line to the last: stage, rounds, proof, what is told and what is written."""

import datetime as dt
import json
import os
from collections.abc import Mapping
from typing import Any

from etebar_bench import databases, generator, machine, plot, results, table, usage
from etebar_bench.books import Books, open_books
from etebar_bench.document import Proof, Report, as_data
from etebar_bench.generator import Generator
from etebar_bench.measured import Measured
from etebar_bench.rounds import Runner
from etebar_bench.settings import BATCH, MERCHANTS, Settings
from etebar_bench.stage import Stage, staged
from etebar_quickstart.printer import Printer

NOT_RUN = "the Celery worker (dispatcher) and beat do not run: they are not measured"


def run(settings: Settings, printer: Printer) -> int:
    """0 when there was no error and the books are exact, else 1; raises QuickstartError when a run is impossible."""
    chosen = generator.find(settings.generator)
    if not chosen.is_wrk:
        printer.notice(f"the load generator is {chosen.label}. {generator.REMEDY}")
    with staged(settings, printer) as stage, open_books(stage.stack) as books:
        printer.done(f"PostgreSQL, settlement and core run; {NOT_RUN}")
        facts = machine.facts()
        chosen_settings = settings_told(settings, chosen, stage)
        _tell_facts({**facts, **chosen_settings}, printer)
        measured = _measure(Runner(stage, chosen, books, settings), printer)
        report = Report(
            machine=facts,
            settings=chosen_settings,
            results=results.of(measured, settings.rows()),
            memory=usage.memory(stage.stack),
            proof=prove(stage, books),
            references=settings.references,
        )
    _tell(report, printer)
    if settings.writes:
        _write(report, settings, printer)
    return 0 if report.is_sound else 1


def settings_told(settings: Settings, chosen: Generator, stage: Stage) -> dict[str, Any]:
    """What a reader must know of how it was measured."""
    return {
        "rounds": settings.rounds,
        "seconds": settings.seconds,
        "generator": chosen.label,
        "core_processes": settings.processes,
        "core_threads": int(os.environ.get("WEB_THREADS") or "32"),
        "merchants": MERCHANTS,
        "batch": BATCH,
        "rate_limits": "off",
        "not_run": NOT_RUN,
        **{f"postgres_{name}": value for name, value in databases.server_settings(stage.stack).items()},
    }


def _tell_facts(facts: Mapping[str, Any], printer: Printer) -> None:
    for name, value in facts.items():
        printer.line(f"  {name:<27} {value}")


def _measure(runner: Runner, printer: Printer) -> list[Measured]:
    printer.line("\nwarming up ...")
    runner.warm_up()
    measured = []
    for one in runner.measure():
        answers, sign = one.answers, "" if one.is_sound else "  <-- "
        printer.line(
            f"round {one.round}/{runner.settings.rounds}  {one.row}  {one.final_per_s:>8,.0f}/s"
            f"  p50 {answers.p50_ms:>7.1f} ms  p99 {answers.p99_ms:>7.1f} ms  refused {answers.refused}"
            f"  errors {answers.errors}  books {one.books}{sign}{answers.sample if sign else ''}"
        )
        measured.append(one)
    return measured


def prove(stage: Stage, books: Books) -> Proof:
    """The books of the whole run."""
    sums, totals = books.compare_sums()
    done = stage.stack.manage("verify_books")
    output = " ".join((done.stdout + done.stderr).split())
    return Proof(sums=sums, totals=totals, verify_books_code=done.returncode, verify_books_output=output)


def _tell(report: Report, printer: Printer) -> None:
    printer.line()
    for line in table.aligned(table.COLUMNS, table.rows(report)):
        printer.line(line)
    printer.line("\nCPU time in ms for each final withdrawal:")
    for line in table.aligned(table.CPU_COLUMNS, table.cpu_rows(report)):
        printer.line(line)
    printer.line(f"\nmemory in MB after each row; at the end {table.memory_line(report.memory)}:")
    for line in table.aligned(table.MEMORY_COLUMNS, table.memory_rows(report)):
        printer.line(line)
    for line in table.proof_lines(report):
        printer.line(line)
    if report.is_sound:
        printer.done("no errors, and the books are exact")
    else:
        printer.failure("there were errors, or the books are not exact: see above")


def _write(report: Report, settings: Settings, printer: Printer) -> None:
    date = dt.datetime.now().astimezone().date()
    settings.output.mkdir(parents=True, exist_ok=True)
    texts = {
        "json": json.dumps(as_data(report, date), indent=2, ensure_ascii=False) + "\n",
        "md": table.markdown(report, date),
        "svg": plot.svg(report),
    }
    for suffix, text in texts.items():
        path = settings.output / f"{date.isoformat()}.{suffix}"
        path.write_text(text)
        printer.done(f"wrote {path}")
