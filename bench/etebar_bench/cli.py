"""The command line of `make bench`."""

import argparse
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Never

from etebar_bench import bench, webhooks
from etebar_bench.observability import bench as observability
from etebar_bench.settings import Settings, Work
from etebar_quickstart import QuickstartError, paths
from etebar_quickstart.printer import Printer

# SIGINT, too: a shell that starts us in the background has it ignored, and Python leaves it so
INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when something failed, was answered otherwise than settled or refused, or the books are not exact."""
    settings = parse(arguments)
    printer = Printer()
    for number in INTERRUPTING:
        signal.signal(number, _interrupt)
    try:
        return _run_of(settings)(settings, printer)
    except QuickstartError as error:
        printer.failure(str(error), error.details)
        return 1
    except KeyboardInterrupt:
        printer.line("ended")
        return 130


def _run_of(settings: Settings) -> Callable[[Settings, Printer], int]:
    if settings.observability:
        return observability.run
    return webhooks.run if settings.webhooks else bench.run


def parse(arguments: Sequence[str] | None = None) -> Settings:
    """Ends with code 2 and a line of help when the arguments are wrong."""
    given = _parser().parse_args(arguments)
    return Settings(
        rounds=given.rounds,
        seconds=given.seconds,
        clients=given.clients or ((32, 128) if given.observability or given.webhooks else (8, 32, 128)),
        bulk_clients=given.bulk_clients,
        works=given.only,
        processes=given.processes,
        generator=given.generator,
        output=given.output,
        writes=not given.no_write,
        references=tuple(given.reference),
        observability=given.observability,
        webhooks=given.webhooks,
        remarks=tuple(given.remark),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etebar_bench", description="Withdrawals per second, beside the floor.")
    add = parser.add_argument
    add("--rounds", type=_positive, default=5, help="how often every row is measured (5)")
    add("--seconds", type=_positive, default=8, help="for how long each time (8)")
    add("--clients", type=_numbers, help="at once, of floor and single (8,32,128)")
    add("--bulk-clients", type=_numbers, default=(8,), help="at once, of bulk (8)")
    add("--only", type=_works, default=tuple(Work), help="floor, single, bulk or several: floor,single")
    processes = int(os.environ.get("GRANIAN_WORKERS", "1"))
    add("--processes", type=_positive, default=processes, help="core's web processes (GRANIAN_WORKERS, 1)")
    add("--generator", choices=("auto", "wrk", "python"), default="auto", help="of HTTP load (wrk where there is one)")
    output = paths.REPOSITORY / "docs" / "benchmarks"
    add("--output", type=Path, default=output, help="where <date>.json, .md and .svg go (docs/benchmarks)")
    add("--no-write", action="store_true", help="write no files")
    observability_help = "what metrics and traces cost instead: single with and without them (32,128 clients)"
    add("--observability", action="store_true", help=observability_help)
    webhooks_help = "what webhooks cost instead: single with and without them (32,128 clients); writes no files"
    add("--webhooks", action="store_true", help=webhooks_help)
    add("--remark", action="append", default=[], help="a line for the page of --observability, such as what else ran")
    reference_help = "NAME=RATE, drawn in the plot as measured elsewhere; as often as wanted"
    add("--reference", type=_reference, action="append", default=[], help=reference_help)
    return parser


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, not {text!r}")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(_positive(part) for part in text.split(","))


def _works(text: str) -> tuple[Work, ...]:
    try:
        return tuple(Work(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected floor, single, bulk or several of them, not {text!r}") from error


def _reference(text: str) -> tuple[str, float]:
    name, _, rate = text.rpartition("=")
    try:
        return name, float(rate)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"expected NAME=RATE, not {text!r}") from error


def _interrupt(_number: int, _frame: object) -> Never:
    raise KeyboardInterrupt
