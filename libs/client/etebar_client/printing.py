"""What `etebar` prints: tables in which ids are whole, however narrow the terminal is."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Column, Table

# what is copied from a table is never broken; the rest is, where there is no room for a line
IDS = frozenset({"withdrawal"})
# into a file or a pipe: as wide as it needs to be
UNBOUNDED = 10_000


def console(width: int | None = None) -> Console:
    """Prints texts as they are: what a merchant is called, or why somebody asks, is no markup."""
    wide = None if sys.stdout.isatty() else UNBOUNDED
    return Console(width=width or wide, markup=False, emoji=False, highlight=False)


out = console()


def say(text: str) -> None:
    """A line, not broken: it may be copied."""
    out.print(text, soft_wrap=True)


def moment(at: datetime) -> str:
    """A time to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; None is an empty cell."""
    table = Table(*(Column(name, no_wrap=name in IDS, overflow="fold") for name in columns))
    for row in rows:
        table.add_row(*("" if each is None else str(each) for each in row))
    out.print(table)


def show_each(found: Iterable[Mapping[str, Any]]) -> None:
    """A table for each, with a line for each member that it has: nothing of it is left out."""
    for members in found:
        table = Table(Column(no_wrap=True), Column(overflow="fold"), show_header=False)
        for name, value in members.items():
            if value not in (None, ""):
                table.add_row(name, str(value))
        out.print(table)
