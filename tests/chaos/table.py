"""The rows of docs/reliability.md: one for each fault, as it was observed in one run."""

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from etebar_quickstart import paths

PAGE = paths.REPOSITORY / "docs" / "reliability.md"
HEAD = ("fault", "expected", "observed by clients", "answers", "lost", "double", "books verify after")


@dataclass(frozen=True)
class Row:
    """`answers`, `lost` and `double` are None where nobody was withdrawing."""

    fault: str
    expected: str
    observed: str
    answers: int | None
    lost: int | None
    double: int | None
    verified_after_seconds: float

    @property
    def cells(self) -> Sequence[str]:
        seconds = f"{self.verified_after_seconds:.1f} s"
        counts = ("–" if each is None else str(each) for each in (self.answers, self.lost, self.double))
        return (self.fault, self.expected, self.observed, *counts, seconds)


def render(rows: Iterable[Row]) -> str:
    """The table, with the day and the commit of the run."""
    cells = [HEAD, tuple("---" for _ in HEAD), *(row.cells for row in rows)]
    lines = [f"| {' | '.join(each)} |" for each in cells]
    return "\n".join([f"Run on {datetime.now(UTC):%Y-%m-%d}, commit {_commit()}.", "", *lines])


def write(mark: str, rows: Iterable[Row], page: Path = PAGE) -> None:
    """Puts the table between the page's marks `<!-- begin MARK -->` and `<!-- end MARK -->`."""
    begin, end = f"<!-- begin {mark} -->", f"<!-- end {mark} -->"
    text = page.read_text()
    assert begin in text, f"{page} has no {begin}"
    page.write_text(re.sub(f"{begin}.*?{end}", f"{begin}\n\n{render(rows)}\n\n{end}", text, flags=re.DOTALL))


def rows_of(mark: str, page: Path = PAGE) -> list[dict[str, str]]:
    """The table between the marks, each row by its head."""
    found = re.search(f"<!-- begin {mark} -->(.*?)<!-- end {mark} -->", page.read_text(), re.DOTALL)
    lines = [line for line in (found.group(1) if found else "").splitlines() if line.startswith("| ")]
    return [dict(zip(HEAD, line.strip("| ").split(" | "), strict=True)) for line in lines[2:]]


def commit_of(mark: str, page: Path = PAGE) -> str:
    """The commit whose run the table between the marks shows."""
    found = re.search(f"<!-- begin {mark} -->\\s+Run on [0-9-]+, commit ([0-9a-f]+)[.]", page.read_text())
    return found.group(1) if found else ""


def faults_of(mark: str, page: Path = PAGE) -> list[str]:
    """The faults in the table between the marks."""
    return [row["fault"] for row in rows_of(mark, page)]


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(paths.REPOSITORY), "rev-parse", "--short", "HEAD"], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
