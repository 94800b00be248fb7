"""Every line of the threat model names a test that holds it, and that test is there."""

import ast
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "security.md"
NAMED = re.compile(r"`([A-Za-z0-9_/]+[.]py)((?:::[A-Za-z0-9_]+)+)`")
BEGIN, END = "## What is defended", "## Who may reach whom"


def rows() -> list[list[str]]:
    """The cells of the threat model's lines, without its head."""
    text = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    lines = [
        line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| somebody"))
    ]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def names_in(path: Path) -> set[str]:
    """The tests of a file: `test_x` and `Class::test_x`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            inner = [each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
            found |= {node.name, *(f"{node.name}::{name}" for name in inner)}
    return found


def named() -> list[tuple[str, str]]:
    return [(path, test.removeprefix("::")) for path, test in NAMED.findall(PAGE.read_text())]


def test_the_page_has_its_lines() -> None:
    assert len(rows()) >= 25
    assert all(len(row) == 3 for row in rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: re.sub(r"[^a-z]+", "-", row[0].lower())[:50])
def test_a_line_names_a_test(row: list[str]) -> None:
    assert NAMED.search(row[2]), row[0]


@pytest.mark.parametrize(("path", "test"), sorted(set(named())))
def test_a_named_test_is_there(path: str, test: str) -> None:
    file = REPOSITORY / path
    assert file.is_file(), path
    assert test in names_in(file), f"{path}::{test}"
