"""What the demo writes on the terminal: one place for its looks."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text


class Printer:
    """Lines are never wrapped or marked up: they can be copied, searched and read by CI."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def line(self, text: str = "", style: str = "") -> None:
        self.console.print(Text(text, style=style))

    def done(self, text: str) -> None:
        self.console.print(Text.assemble(("✓ ", "green"), text))

    def notice(self, text: str) -> None:
        self.console.print(Text.assemble(("! ", "yellow"), text))

    def failure(self, text: str, details: Iterable[str] = ()) -> None:
        """The line that says what is wrong, and under it the lines of a log that explain it."""
        self.console.print(Text.assemble(("✗ ", "bold red"), (text, "bold")))
        for detail in details:
            self.console.print(Text(f"    | {detail}", style="dim"))

    def step(self, number: int, title: str) -> None:
        self.console.print(Text.assemble(f"\n{number:>2}  ", (title, "bold")))

    def exchange(self, request: str, answer: str) -> None:
        """A request and its answer as they were."""
        self.console.print(Text(f"      {request}", style="cyan"))
        self.console.print(Text(f"      {answer}"))

    def held(self, text: str) -> None:
        self.console.print(Text.assemble("      ", ("✓ ", "green"), text))

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        table = Table(title=title, title_justify="left", title_style="bold")
        for number, column in enumerate(columns):
            table.add_column(column, justify="right" if number else "left")
        for row in rows:
            table.add_row(*row)
        self.console.print()
        self.console.print(table)
