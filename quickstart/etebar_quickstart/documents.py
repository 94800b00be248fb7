"""Committed documents that are made from something else: written anew, or held against what they are made from."""

from collections.abc import Callable, Mapping
from pathlib import Path

from etebar_quickstart import paths
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.printer import Printer


def write(printer: Printer, documents: Mapping[Path, Callable[[], str]], *, check: bool, source: str) -> None:
    """Writes those that are stale; with `check` writes none and raises QuickstartError naming them.

    `source` is what they are made from, for the messages.
    """
    stale = []
    for path, make in documents.items():
        text = make()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(str(path.relative_to(paths.REPOSITORY)))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            printer.done(f"wrote {stale[-1]}")
    if check and stale:
        raise QuickstartError(f"not what {source} says: {', '.join(stale)}; run `make generate`")
