"""The committed files that are made from code: dashboards, the rules of the objectives, the index of the runbooks."""

from collections.abc import Callable
from pathlib import Path

from etebar_observability import runbooks, slos
from etebar_observability.boards import BOARDS
from etebar_observability.grafana import document
from etebar_observability.model import Board
from etebar_observability.paths import DASHBOARDS, RULES, RUNBOOKS
from etebar_quickstart import QuickstartError, documents
from etebar_quickstart.printer import Printer


def run(printer: Printer, *, check: bool) -> None:
    """Writes the files; with `check` writes none and raises QuickstartError naming those that are stale or nobody's."""
    documents.write(printer, files(), check=check, source="the code in observability")
    strangers = sorted(path.name for path in DASHBOARDS.glob("*") if path not in files())
    if strangers:
        raise QuickstartError(f"no board makes them: {', '.join(strangers)}; remove them from {DASHBOARDS}")
    printer.done("dashboards, rules and the index of runbooks are what the code says")


def files() -> dict[Path, Callable[[], str]]:
    """Each with what makes it; the rules before the index, which reads them."""
    boards = {DASHBOARDS / f"{board.uid}.json": _document(board) for board in BOARDS}
    return {**boards, RULES / "slos.yaml": slos.rules, RUNBOOKS / "README.md": runbooks.index}


def _document(board: Board) -> Callable[[], str]:
    return lambda: document(board, BOARDS)
