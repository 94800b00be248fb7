"""The command line of the capacity measurements."""

import argparse
import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from etebar_bench.capacity import costs, load, pools
from etebar_bench.capacity.backend import Backend, backend
from etebar_bench.capacity.tables import cost_rows, part_rows, scan_rows, size_rows, tell
from etebar_bench.stage import clear, leave_logs
from etebar_quickstart import Ports, QuickstartError, Stack, paths
from etebar_quickstart.printer import Printer


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 when nothing could be measured or the books differ."""
    given = _parser().parse_args(arguments)
    printer = Printer()
    try:
        with _stack(paths.state_directory() / "capacity", printer) as stack:
            return _measure(stack, given)
    except QuickstartError as error:
        printer.failure(str(error), error.details)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etebar_bench.capacity", description="What lists cost, as the books grow.")
    add = parser.add_argument
    add("--merchants", type=_numbers, default=(1_000, 100_000, 1_000_000), help="steps (1000,100000,1000000)")
    add("--withdrawals", type=int, default=0, help="settled ones to load after the last step (0)")
    add("--of-merchants", type=int, default=100_000, help="whose they are: the first so many (100000)")
    add("--lists", type=_numbers, default=(1, 10, 32, 100, 500), help="lengths of lists (1,10,32,100,500)")
    add("--pools", type=float, default=0, metavar="SECONDS", help="only several connections, so long for each (off)")
    add("--repeats", type=int, help="lists of each length (as many as 3,000 members need)")
    return parser


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


@contextlib.contextmanager
def _stack(directory: Path, printer: Printer) -> Iterator[Stack]:
    clear(directory)
    try:
        with Stack(directory, ports=Ports.free(), durable=True, report=printer.notice) as stack:
            stack.start("settlement")
            load.prepare(stack)
            yield stack
    finally:
        leave_logs(directory)


def _measure(stack: Stack, given: argparse.Namespace) -> int:
    """As main, on a stack with one merchant."""
    if given.pools:
        _pools(stack, given)
    else:
        _growth(stack, given)
    with backend(stack) as wallet, backend(stack, "settlementdb") as settlement:
        load.add_payouts(wallet, settlement)
    return _verify(stack)


def _pools(stack: Stack, given: argparse.Namespace) -> None:
    with backend(stack) as wallet:
        load.add_merchants(wallet, given.merchants[0])
        merchants = load.merchants(wallet)
    found = pools.rates(stack, merchants, given.lists, given.pools)
    columns = ("", *(f"lists of {length}" for length in given.lists))
    tell(
        "members per second", [columns, *((name, *(f"{rate:,.0f}" for rate in rates)) for name, rates in found.items())]
    )


def _growth(stack: Stack, given: argparse.Namespace) -> None:
    with backend(stack) as wallet:
        for number in given.merchants:
            load.add_merchants(wallet, number)
            _tell_costs(wallet, given, f"{number:,} merchants", load.merchants(wallet))
        if given.withdrawals:
            _load(wallet, given)
        tell("tables and indexes", size_rows(wallet))
        tell(
            "one list of the longest: how tables are read", scan_rows(wallet, load.merchants(wallet), max(given.lists))
        )
        for length in given.lists:
            tell(f"statements of a list of {length}, us", part_rows(wallet, load.merchants(wallet), length))


def _load(wallet: Backend, given: argparse.Namespace) -> None:
    load.add_withdrawals(wallet, given.withdrawals, given.of_merchants)
    whose = load.merchants(wallet)[: given.of_merchants]
    _tell_costs(wallet, given, f"{given.withdrawals:,} withdrawals more, lists of their merchants", whose)
    few = load.merchants(wallet)[:1000]
    _tell_costs(wallet, given, f"{given.withdrawals:,} withdrawals more, lists of {len(few):,} merchants", few)


def _tell_costs(wallet: Backend, given: argparse.Namespace, title: str, merchants: range) -> None:
    costs.checkpoint(wallet)
    tell(f"{title}: us of a list", cost_rows(costs.costs(wallet, merchants, given.lists, given.repeats)))


def _verify(stack: Stack) -> int:
    begun = time.monotonic()
    done = stack.manage("verify_books")
    print((done.stdout + done.stderr).strip(), f"({time.monotonic() - begun:.1f} s)")  # noqa: T201 - our output
    return done.returncode
