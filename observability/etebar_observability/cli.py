"""The command line: generate, promtool."""

import argparse
from collections.abc import Sequence

from etebar_observability import generate, promtool
from etebar_quickstart import QuickstartError
from etebar_quickstart.printer import Printer


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; what goes wrong is told in one line."""
    given = _parser().parse_args(arguments)
    printer = Printer()
    try:
        given.run(given, printer)
    except QuickstartError as error:
        printer.failure(str(error), error.details)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etebar_observability", description="Etebar's dashboards and alerting rules.")
    commands = parser.add_subparsers(required=True, metavar="command")
    made = commands.add_parser("generate", help="write the dashboards, the objectives' rules, the index of runbooks")
    made.add_argument("--check", action="store_true", help="write nothing; fail when one is stale")
    made.set_defaults(run=lambda given, printer: generate.run(printer, check=given.check))
    checked = commands.add_parser("promtool", help="check and test the rules with Prometheus' own promtool")
    checked.set_defaults(run=lambda _given, printer: _check_rules(printer))
    return parser


def _check_rules(printer: Printer) -> None:
    printer.line(promtool.check_rules().strip())
    printer.done("promtool holds the rules and their tests good")
