"""Documents that promise something name the test that holds it: `file::class::test`, from the repository's root.

Of ARCHITECTURE.md's names those without a folder are below apps/core/payments/tests.
"""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from etebar_quickstart import paths
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.printer import Printer

CITING = ("ARCHITECTURE.md", "docs/failure-modes.md", "docs/security.md")
# every line of their tables is a promise
PROMISING = ("docs/failure-modes.md",)
CORE_TESTS = paths.CORE / "payments" / "tests"
NAME = re.compile(r"`([\w/.-]+\.py)?((?:::\w+)+)(?:\[[^`]*\])?`")


def check(printer: Printer) -> None:
    """Raises QuickstartError naming each test that is cited and not there, and each promise without a test."""
    wrong = [sentence for document in CITING for sentence in _of_document(paths.REPOSITORY / document)]
    wrong += [sentence for document in PROMISING for sentence in unproven(paths.REPOSITORY / document)]
    if wrong:
        raise QuickstartError("what documents promise must be held by tests", wrong)
    printer.done("the tests that documents name are there")


def _of_document(document: Path) -> Iterator[str]:
    text = document.read_text()
    yield from dead_names(text, document.name)


def dead_names(text: str, document: str) -> Iterator[str]:
    """A sentence for each cited test that is not there. `::class::test` alone is of the file named before it."""
    file = ""
    for found in NAME.finditer(text):
        file = found.group(1) or file
        path = paths.REPOSITORY / file
        if "/" not in file:
            path = CORE_TESTS / file
        names = found.group(2).split("::")[1:]
        if not path.is_file():
            yield f"{document} names {file}, which is not there"
        elif not _defines(ast.parse(path.read_text()), names):
            yield f"{document} names {file}::{'::'.join(names)}, which is not there"


def _defines(tree: ast.AST, names: list[str]) -> bool:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == names[0]:
            return len(names) == 1 or _defines(node, names[1:])
    return False


def unproven(document: Path) -> Iterator[str]:
    """A sentence for each line of the document's tables that names no test."""
    lines = document.read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        is_row = line.startswith("| ") and before.startswith("|") and not line.startswith("| ---")
        if is_row and not NAME.search(line):
            yield f"{document.name} promises without a test: {line[:80]}"
