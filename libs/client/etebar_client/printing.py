"""What `etebar` prints: tables while there is room for their words, and a line for each thing where there is not."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table

# into a file or a pipe: as wide as it needs to be
UNBOUNDED = 10_000


def console(width: int | None = None) -> Console:
    """Prints texts as they are: what a merchant is called, or why somebody asks, is no markup."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    wide = None if is_terminal else UNBOUNDED
    return Console(width=width or wide, markup=False, emoji=False, highlight=False)


out = console()


def say(text: str) -> None:
    """A line, not broken: it may be copied."""
    out.print(text, soft_wrap=True)


def moment(at: datetime) -> str:
    """A time to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table; None is an empty cell. Ids and amounts are words, which are not broken."""
    cells = [["" if each is None else str(each) for each in row] for row in rows]
    is_of_words = [any(" " in row[index] for row in cells) for index in range(len(columns))]
    table = Table(*(Column(name, no_wrap=not folds) for name, folds in zip(columns, is_of_words, strict=True)))
    for row in cells:
        table.add_row(*row)
    if Measurement.get(out, out.options.update(width=UNBOUNDED), table).minimum <= out.width:
        out.print(table)
        return
    for row in cells:
        _say_each(zip(columns, row, strict=True))


def show_each(found: Iterable[Mapping[str, Any]]) -> None:
    """All that each has, a line for each member of it."""
    for members in found:
        _say_each((name, "" if value is None else str(value)) for name, value in members.items())


def _say_each(named: Iterable[tuple[str, str]]) -> None:
    for name, value in named:
        if value:
            say(f"{name}: {value}")
    say("")
