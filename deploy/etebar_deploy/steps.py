"""Steps that a person waits for: what is done now, and what each took."""

import contextlib
import time
from collections.abc import Iterator

from etebar_quickstart.printer import Printer


class Steps:
    """Prints a line when a step ends well; `print_table` sums up."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        self._printer.line(f"  {title} ...", style="dim")
        begun = time.monotonic()
        yield
        self._seconds[title] = time.monotonic() - begun
        self._printer.done(f"{title} ({self._seconds[title]:.0f} s)")

    def print_table(self) -> None:
        rows = [[title, f"{seconds:.1f}"] for title, seconds in self._seconds.items()]
        total = f"{sum(self._seconds.values()):.1f}"
        self._printer.table("What it took", ["step", "seconds"], [*rows, ["all", total]])
