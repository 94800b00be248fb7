"""The Persian words of the staff console: what is to be translated, and the compiled catalogue."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import django
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from etebar_common.problems import registry
from etebar_quickstart import paths
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.printer import Printer

PACKAGE = paths.CORE / "payments"
LANGUAGE = "fa"
FOLDER = PACKAGE / "locale" / LANGUAGE / "LC_MESSAGES"
SOURCE, COMPILED = FOLDER / "django.po", FOLDER / "django.mo"
# gettext's functions, by where the text and its context are among their arguments
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}


def compiled() -> bytes:
    """The catalogue as gettext reads it."""
    with SOURCE.open("rb") as file:
        catalogue = read_po(file, locale=LANGUAGE)
    # the time of the making would be another one each time
    catalogue.revision_date = catalogue.creation_date = datetime(2000, 1, 1, tzinfo=UTC)
    written = io.BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def texts() -> set[tuple[str, str]]:
    """Every text of the console's code and templates, and titles of problems; each with its context, "" for none."""
    found = {(problem.title, "") for problem in registry()}
    for path in sorted([*PACKAGE.rglob("*.py"), paths.CORE / "core" / "admin_site.py"]):
        if "tests" not in path.parts and "migrations" not in path.parts:
            found |= set(_texts_of(path.read_bytes()))
    for path in sorted((PACKAGE / "templates").rglob("*.html")):
        found |= set(_texts_of(templatize(path.read_text(), origin=str(path)).encode()))
    return found


def _texts_of(source: bytes) -> Iterator[tuple[str, str]]:
    for _, text, _, context in extract("python", io.BytesIO(source), keywords=KEYWORDS):
        if isinstance(text, str):
            yield text, context or ""


def missing() -> list[tuple[str, str]]:
    """Texts without a translation of ours or of Django's."""
    known = set(_translated(SOURCE)) | {each for path in _djangos() for each in _translated(path)}
    return sorted(texts() - known)


def _translated(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        for each in read_po(file, locale=LANGUAGE):
            if each.string and isinstance(each.id, str):
                yield each.id, each.context or ""


def _djangos() -> Iterator[Path]:
    root = Path(django.__file__).parent
    for package in ("contrib/admin", "contrib/auth", "conf"):
        yield root / package / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"


def write(printer: Printer, *, check: bool) -> None:
    """Compiles the catalogue; with `check` writes nothing and raises QuickstartError when it is stale.

    Raises QuickstartError for texts that nobody has translated.
    """
    if untranslated := missing():
        named = ", ".join(repr(text) for text, _ in untranslated)
        raise QuickstartError(f"not in {SOURCE.relative_to(paths.REPOSITORY)}: {named}")
    made = compiled()
    if COMPILED.exists() and COMPILED.read_bytes() == made:
        return
    if check:
        raise QuickstartError(f"{COMPILED.relative_to(paths.REPOSITORY)} is stale; run `make generate`")
    COMPILED.write_bytes(made)
    printer.done(f"wrote {COMPILED.relative_to(paths.REPOSITORY)}")
