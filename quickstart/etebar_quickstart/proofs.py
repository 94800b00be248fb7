"""Documents that promise something name the test that holds it: `file::class::test`, from the repository's root.

Of ARCHITECTURE.md's names those without a folder are below apps/core/payments/tests.
"""

import ast
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator

from etebar_quickstart import paths
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.printer import Printer

REPOSITORY = paths.REPOSITORY
CITING = ("ARCHITECTURE.md", "docs/failure-modes.md", "docs/security.md")
# every line of their tables is a promise, up to this heading
PROMISING = {"docs/failure-modes.md": "", "docs/security.md": "## Who may reach whom"}
CORE_TESTS = paths.CORE / "payments" / "tests"
NAME = re.compile(r"`([\w/.-]+\.py)?((?:::\w+)+)(\[[^`]*\])?`")


def check(printer: Printer) -> None:
    """Raises QuickstartError naming each test that is cited and not there, and each promise without a test."""
    texts = {document: (REPOSITORY / document).read_text() for document in CITING}
    wrong = [sentence for document, text in texts.items() for sentence in dead_names(text, document)]
    if not wrong:
        wrong = [sentence for document, text in texts.items() for sentence in dead_cases(text, document)]
    for document, ends in PROMISING.items():
        text = texts[document]
        wrong += unproven(text.partition(ends)[0] if ends else text, document)
    if wrong:
        raise QuickstartError("what documents promise must be held by tests", wrong)
    printer.done("the tests that documents name are there")


def dead_names(text: str, document: str) -> Iterator[str]:
    """A sentence for each cited test that is not there. `::class::test` alone is of the file named before it."""
    file = ""
    for found in NAME.finditer(text):
        file = found.group(1) or file
        path = REPOSITORY / file
        if "/" not in file:
            path = CORE_TESTS / file
        names = found.group(2).split("::")[1:]
        if not path.is_file():
            yield f"{document} names {file}, which is not there"
        elif not _defines(ast.parse(path.read_text()), names):
            yield f"{document} names {file}::{'::'.join(names)}, which is not there"


def dead_cases(text: str, document: str) -> Iterator[str]:
    """A sentence for each cited case, `file::class::test[case]`, that its test does not have."""
    cited = {(found[1], f"{found[1]}{found[2]}{found[3]}") for found in NAME.finditer(text) if found[1] and found[3]}
    known = _collected(sorted({file for file, _ in cited}))
    for _, case in sorted(cited):
        if case not in known:
            yield f"{document} names {case}, which is no case of that test"


def _collected(files: list[str]) -> set[str]:
    """Every test of the files with its case, as pytest names them; raises QuickstartError."""
    if not files:
        return set()
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *files]
    done = subprocess.run(command, check=False, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        raise QuickstartError("the tests that documents name cannot be collected", done.stdout.splitlines()[-8:])
    return set(done.stdout.splitlines())


def _defines(tree: ast.AST, names: list[str]) -> bool:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == names[0]:
            return len(names) == 1 or _defines(node, names[1:])
    return False


def unproven(text: str, document: str) -> Iterator[str]:
    """A sentence for each line of the text's tables that names no test."""
    for before, line in itertools.pairwise(text.splitlines()):
        is_row = line.startswith("| ") and before.startswith("|") and not line.startswith("| ---")
        if is_row and not NAME.search(line):
            yield f"{document} promises without a test: {line[:80]}"
