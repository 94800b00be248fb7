"""etebar-verify: record, export, check, trial. Exit code 0: nothing but the truth; 1: a lie; 2: no verdict."""

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from etebar_verify import judge, ledger, trial
from etebar_verify.books import Books, read_databases, read_export, read_merchants, write_export
from etebar_verify.errors import UnusableInputError
from etebar_verify.history import Event, Told, read
from etebar_verify.recorder import record

LIED, NO_VERDICT = 1, 2
MOST_LIES = 100


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except UnusableInputError as error:
        sys.stderr.write(f"no verdict: {error}\n")
        return NO_VERDICT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etebar-verify", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("record", help="clients withdraw, and what each is told is written down")
    command.add_argument("orders", type=Path, help="JSON: address, seed, callers with merchant and token")
    command.add_argument("history", type=Path, help="what is appended to")
    command.add_argument("--seconds", type=float, default=math.inf, help="default: until SIGTERM")
    command.set_defaults(run=_record)

    command = commands.add_parser("export", help="both databases' books, as files")
    _add_databases(command, required=True)
    command.add_argument("directory", type=Path)
    command.set_defaults(run=_export)

    command = commands.add_parser("check", help="the verdict, once nothing of the history is under way")
    _add_databases(command, required=False)
    command.add_argument("--export", type=Path, metavar="DIRECTORY", help="in place of the databases")
    command.add_argument("history", type=Path, nargs="*", help="without any: the books alone, of a platform at rest")
    command.set_defaults(run=_check)

    command = commands.add_parser("trial", help="all of it, with merchants of its own (sandbox profile)")
    command.add_argument("url", help="core, as http://core:8000")
    command.add_argument("--admin", type=Path, required=True, metavar="DIRECTORY", help="files username and password")
    _add_databases(command, required=True)
    command.add_argument("--seconds", type=float, default=10.0)
    command.add_argument("--clients", type=int, default=8)
    command.set_defaults(run=_trial)
    return parser


def _add_databases(command: argparse.ArgumentParser, *, required: bool) -> None:
    for name, database in (("core", "walletdb"), ("settlement", "settlementdb")):
        command.add_argument(
            f"--{name}",
            required=required,
            type=_without_password,
            metavar="DSN",
            help=f"postgresql://etebar_audit@host/{database}",
        )
    command.add_argument(
        "--password-file", type=Path, metavar="FILE", help="the password for both; else PGPASSWORD or PGPASSFILE count"
    )


def _without_password(dsn: str) -> str:
    """A command line is seen by everybody on the machine."""
    if "password" in dsn or ":" in dsn.partition("://")[2].rpartition("@")[0]:
        raise argparse.ArgumentTypeError(
            "expected no password in it: give it by --password-file, PGPASSWORD or PGPASSFILE"
        )
    return dsn


def _record(options: argparse.Namespace) -> int:
    left = record(options.orders, options.history, options.seconds)
    if left:
        raise UnusableInputError(f"{left} clients were left without an answer")
    return 0


def _export(options: argparse.Namespace) -> int:
    write_export(_books(options), options.directory)
    return 0


def _books(options: argparse.Namespace) -> Books:
    return read_databases(options.core, options.settlement, _password(options))


def _password(options: argparse.Namespace) -> str | None:
    return trial.read_secret(options.password_file) if options.password_file else None


def _check(options: argparse.Namespace) -> int:
    if options.export is not None:
        books = read_export(options.export)
    elif options.core and options.settlement:
        books = _books(options)
    else:
        raise UnusableInputError("expected --core and --settlement, or --export")
    events: list[Event] = []
    for path in options.history:
        found_there = list(read(path))
        if not found_there:
            raise UnusableInputError(f"{path}: there is no event in it")
        events += found_there
    found = [*(judge.lies(events, books) if events else judge.payments(books)), *ledger.lies(books)]
    return verdict(events, books, found)


def _trial(options: argparse.Namespace) -> int:
    core, begun = trial.Core(options.url), time.monotonic()
    with TemporaryDirectory() as directory:
        orders, history = Path(directory) / "orders.json", Path(directory) / "history.jsonl"
        merchants = trial.prepare(core, options.admin, options.clients, orders)
        left = record(orders, history, options.seconds)
        if left:
            raise UnusableInputError(f"{left} of {options.clients} clients were left without an answer")
        trial.wait_until_ended(core, merchants.values())
        seconds = time.monotonic() - begun
        books = read_merchants(options.core, options.settlement, _password(options), list(merchants), seconds)
        if not any(each.state == "settled" for each in books.withdrawals):
            raise UnusableInputError("not one withdrawal was settled: nothing was tried")
        events = list(read(history))
        return verdict(events, books, [*judge.lies(events, books), *ledger.lies_of_merchants(books)])


def verdict(events: Sequence[Event], books: Books, found: Sequence[str]) -> int:
    """Prints what was found, and returns the exit code."""
    for sentence in found[:MOST_LIES]:
        sys.stdout.write(f"{sentence}\n")
    if len(found) > MOST_LIES:
        sys.stdout.write(f"and {len(found) - MOST_LIES} more\n")
    told = sum(isinstance(event, Told) for event in events)
    judged = f"{told} answers, {len(books.withdrawals)} withdrawals, {len(books.entries)} ledger entries"
    sys.stdout.write(f"{f'{len(found)} lies' if found else 'nothing but the truth'}: {judged}\n")
    return LIED if found else 0
