"""A statement on paper: a PDF file in the language that is active."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import get_language, gettext

from core.typesetting import WIDTH, Align, Document
from payments import formats
from payments.account_statements.selectors import Statement, time_zone
from payments.models import LedgerEntry

REGULAR, BOLD = "Vazirmatn-Regular", "Vazirmatn-Bold"
MARGIN = 48.0
END = WIDTH - MARGIN
VALUES = MARGIN + 100
FIRST_LINE, LAST_LINE, FOOT = 64.0, 770.0, 805.0
TITLE_SIZE, SIZE, SMALL_SIZE = 18.0, 8.5, 6.5
LINE, GAP = 15.0, 24.0


@dataclass(frozen=True, slots=True)
class Column:
    """Where its cells begin or end, and how they look."""

    heading: str
    across: float
    align: Align = "start"
    size: float = SIZE


def _numbers(heading: str, end: float, width: float) -> Column:
    """Of numbers, whose last digits are below each other: they run from left to right in lines that do not, too."""
    return Column(heading, end - width) if formats.is_persian() else Column(heading, end, "end")


class _Sheets:
    """Pages that are filled from top to bottom."""

    def __init__(self, title: str) -> None:
        language = get_language() or "en"
        self._document = Document(language=language, right_to_left=formats.is_persian(), title=title)
        self._down = 0.0
        self.turn()

    def turn(self) -> None:
        """Takes a new page."""
        self._document.page()
        self._down = FIRST_LINE

    def skip(self, length: float) -> None:
        self._down += length

    def line(self, cells: Iterable[tuple[str, Column]], font: str = REGULAR) -> None:
        """Cells side by side, and down to the next line."""
        for text, column in cells:
            self._document.text(text, column.across, self._down, font=font, size=column.size, align=column.align)
        self._down += LINE

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        """A row for each, under headings that every page repeats."""
        self._headings(columns)
        for row in rows:
            if self._down > LAST_LINE:
                self.turn()
                self._headings(columns)
            self.line(zip(row, columns, strict=True))
        self.skip(GAP - LINE)

    def _headings(self, columns: Sequence[Column]) -> None:
        if self._down > LAST_LINE - LINE:
            self.turn()
        self.line(((column.heading, Column("", column.across, column.align)) for column in columns), BOLD)
        self._document.rule(MARGIN, self._down - LINE + 5, END - MARGIN)

    def finish(self, foot: str) -> bytes:
        """The file, with a foot and its number on each page."""
        count = formats.number(self._document.pages)
        for page in range(self._document.pages):
            number = gettext("Page %(number)s of %(count)s") % {"number": formats.number(page + 1), "count": count}
            self._document.text(foot, MARGIN, FOOT, font=REGULAR, size=SMALL_SIZE, page=page)
            self._document.text(number, END, FOOT, font=REGULAR, size=SMALL_SIZE, align="end", page=page)
        return self._document.finish()


def printed(statement: Statement, *, username: str, at: datetime) -> bytes:
    """The file: whose statement it is, what was used before and after, sums by kind, limits, and every entry."""
    title = gettext("Account statement")
    first, last = formats.day(statement.period.first), formats.day(statement.period.last)
    period = gettext("%(first)s to %(last)s") % {"first": first, "last": last}
    sheets = _Sheets(f"{title}, {username}, {period}")
    sheets.line([(title, Column("", MARGIN, size=TITLE_SIZE))], BOLD)
    sheets.skip(LINE)
    for label, value in (
        (gettext("Merchant"), username),
        (gettext("Merchant number"), formats.identifier(statement.merchant_id)),
        (gettext("Period"), period),
        (gettext("Time zone"), time_zone().key),
        (gettext("Made at"), formats.moment(at)),
    ):
        sheets.line([(label, Column("", MARGIN)), (value, Column("", VALUES))])
    sheets.skip(GAP - LINE)
    sheets.table(_summary_columns(), _summary(statement))
    if statement.limits:
        columns = [Column(gettext("Limit set at"), MARGIN), _numbers(gettext("Credit limit"), MARGIN + 290, 90)]
        sheets.table(columns, ((formats.moment(each.at), formats.money(each.limit)) for each in statement.limits))
    sheets.table(_entry_columns(), _entries(statement))
    if not statement.entries:
        sheets.line([(gettext("Nothing moved in this period."), Column("", MARGIN))])
    return sheets.finish(f"Etebar – {username}")


def _summary_columns() -> list[Column]:
    return [
        Column("", MARGIN),
        _numbers(gettext("Count"), MARGIN + 160, 40),
        _numbers(gettext("Used"), MARGIN + 290, 90),
        _numbers(gettext("Credit limit"), END, 90),
    ]


def _summary(statement: Statement) -> Iterable[Sequence[str]]:
    opening, closing = gettext("Opening"), gettext("Closing")
    yield opening, "", formats.money(statement.opening), formats.money(statement.opening_limit)
    for kind, (count, amount) in sorted(statement.totals.items()):
        yield _kind(kind), formats.number(count), formats.money(amount), ""
    yield closing, "", formats.money(statement.closing), formats.money(statement.closing_limit)


def _entry_columns() -> list[Column]:
    return [
        Column(gettext("No."), MARGIN),
        Column(gettext("Time"), MARGIN + 36),
        Column(gettext("Kind"), MARGIN + 126),
        Column(gettext("Transaction"), MARGIN + 186, size=SMALL_SIZE),
        _numbers(gettext("Amount"), MARGIN + 410, 75),
        _numbers(gettext("Used after"), END, 80),
    ]


def _entries(statement: Statement) -> Iterable[Sequence[str]]:
    used = statement.opening
    for entry in statement.entries:
        used += entry.amount
        yield (
            formats.identifier(entry.number),
            formats.moment(entry.created_at, zone=False),
            _kind(entry.kind),
            str(entry.transaction_id),
            formats.money(entry.amount),
            formats.money(used),
        )


def _kind(kind: str) -> str:
    return gettext(LedgerEntry.Kind(kind).label)
