"""The command line: demo, up, env, manage, run, generate, clean."""

import argparse
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from etebar_quickstart import demo, generate, paths, secret_store, state
from etebar_quickstart.environments import Environments
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.ports import Ports
from etebar_quickstart.printer import Printer
from etebar_quickstart.secret_store import Secrets


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; what goes wrong is told in one line."""
    given = _parser().parse_args(arguments)
    printer = Printer()
    try:
        return int(given.run(given, printer))
    except QuickstartError as error:
        printer.failure(str(error), error.details)
        return 1
    except KeyboardInterrupt:
        printer.line("ended")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etebar_quickstart", description="Etebar on this machine, in processes.")
    commands = parser.add_subparsers(required=True, metavar="command")
    told = commands.add_parser("demo", help="start everything, tell the story of a merchant, leave it running")
    told.add_argument("--once", action="store_true", help="end by itself: code 0 when everything held")
    told.set_defaults(run=lambda given, printer: demo.run(printer, tells_story=True, once=given.once))
    up = commands.add_parser("up", help="start everything and leave it running")
    up.set_defaults(run=lambda _given, printer: demo.run(printer, tells_story=False, once=False))
    env = commands.add_parser("env", help='exports for your shell while it runs: eval "$(... env)"')
    env.set_defaults(run=_env)
    manage = commands.add_parser("manage", help="core's manage.py with the right environment")
    manage.add_argument("rest", nargs=argparse.REMAINDER)
    manage.set_defaults(run=lambda given, _printer: _run([sys.executable, "manage.py", *given.rest], paths.CORE))
    run = commands.add_parser("run", help="any command with core's environment: mypy's Django plugin wants it")
    run.add_argument("rest", nargs=argparse.REMAINDER)
    run.set_defaults(run=lambda given, _printer: _run(given.rest, Path.cwd()))
    made = commands.add_parser("generate", help="write docs/errors.md and docs/api/*.json")
    made.add_argument("--check", action="store_true", help="write nothing; fail when one is stale")
    made.set_defaults(run=lambda given, printer: generate.run(printer, check=given.check))
    clean = commands.add_parser("clean", help="remove the state directory: the demo's data, logs and secrets")
    clean.set_defaults(run=_clean)
    return parser


def _env(_given: argparse.Namespace, _printer: Printer) -> int:
    running = _running()
    if running is None:
        raise QuickstartError(f"nothing runs on {paths.state_directory()}: start it with `make demo`")
    for name, value in running.shell().items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    return 0


def _run(command: list[str], directory: Path) -> int:
    """Without a running stack, what needs no server works still: made-up secrets, default ports."""
    environments = _running() or Environments("sandbox", Ports(), Secrets())
    return subprocess.run(command, check=False, cwd=directory, env=environments.core()).returncode


def _clean(_given: argparse.Namespace, printer: Printer) -> int:
    """Also ends what a killed run left behind; refuses while one runs."""
    directory = paths.state_directory()
    if directory.exists():
        claimed = state.StateDirectory(directory)
        claimed.claim(None, printer.notice)
        shutil.rmtree(directory)
        printer.done(f"removed {directory}")
    return 0


def _running() -> Environments | None:
    directory = paths.state_directory()
    facts = state.owner(directory)
    if not facts:
        return None
    return Environments(facts["profile"], Ports(**facts["ports"]), secret_store.load(directory))
