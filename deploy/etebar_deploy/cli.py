"""The command line: images, kind-up, kind-observability, kind-down, generate."""

import argparse
from collections.abc import Sequence

from etebar_deploy import generate, images, kind, kind_observability
from etebar_quickstart import QuickstartError
from etebar_quickstart.printer import Printer


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; what goes wrong is told in one line."""
    parser = _parser()
    given, rest = parser.parse_known_args(arguments)
    given.helms = rest
    if given.helms and given.run is not _kind_observability:
        parser.error(f"unrecognized arguments: {' '.join(given.helms)}")
    printer = Printer()
    try:
        given.run(given, printer)
    except QuickstartError as error:
        printer.failure(str(error), error.details)
        return 1
    except KeyboardInterrupt:
        printer.line("ended")
        return 130
    return 0


def _kind_observability(given: argparse.Namespace, printer: Printer) -> None:
    kind_observability.up(printer, given.helms)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etebar_deploy", description="Etebar's images, its chart, a kind cluster.")
    commands = parser.add_subparsers(required=True, metavar="command")
    made = commands.add_parser("images", help="build the images of this tree, tagged by its commit")
    made.add_argument("names", nargs="*", metavar="name", help=f"some of {', '.join(images.NAMES)}; all when none")
    made.add_argument("--registry", default="", help="put before the images' names, such as registry.example.com/pay")
    made.set_defaults(run=lambda given, printer: images.run(printer, given.names, registry=given.registry))
    up = commands.add_parser("kind-up", help="a kind cluster with everything installed")
    up.set_defaults(run=lambda _given, printer: kind.up(printer))
    seen = commands.add_parser(
        "kind-observability", help="Prometheus, Grafana and traces beside it; further arguments: helm's"
    )
    seen.set_defaults(run=_kind_observability)
    down = commands.add_parser("kind-down", help="delete that cluster")
    down.set_defaults(run=lambda _given, printer: kind.down(printer))
    made = commands.add_parser("generate", help="write the chart's schema and README, and docs/security.md")
    made.add_argument("--check", action="store_true", help="write nothing; fail when one is stale")
    made.set_defaults(run=lambda given, printer: generate.run(printer, check=given.check))
    return parser
