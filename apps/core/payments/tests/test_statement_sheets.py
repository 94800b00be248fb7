"""Statements on paper: what a reader finds in the PDF file is the statement's, in the order in which it is read.

PDFium, by which Chromium reads PDF, knows nothing of what wrote the files.
"""

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pypdfium2
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from core.typesetting import WIDTH, Align, Document
from payments.account_statements.selectors import LimitChange, Period, Statement
from payments.account_statements.sheets import printed
from payments.models import LedgerEntry

BEGIN = datetime(2026, 3, 21, 12, tzinfo=UTC)
MARCH = Period(date(2026, 3, 21), date(2026, 4, 20))
KINDS = st.sampled_from(["reserve", "release", "repayment", "reversal"])
AMOUNTS = st.decimals(min_value=-10_000_000, max_value=10_000_000, places=2)
# a row ends with what was moved, and what is used after it
ROW = re.compile(r"(?m)^(\d+) [\d-]+ [\d:]+ (\w+) [0-9a-f-]{36} (-?[\d,]+\.\d\d) (-?[\d,]+\.\d\d)\r?$")
LETTERS = st.sampled_from("ابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهیآئؤأ")
WORDS = st.text(LETTERS, min_size=1, max_size=8) | st.builds("{}\u200c{}".format, st.text(LETTERS, min_size=1), LETTERS)
NUMBERS = st.text(st.sampled_from("۰۱۲۳۴۵۶۷۸۹"), min_size=1, max_size=6)


def text_of(file: bytes) -> str:
    """All pages as PDFium reads them."""
    return "\n".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(file))


def statement_of(moved: list[tuple[str, Decimal]], opening: str = "0.00") -> Statement:
    entries = [
        LedgerEntry(
            number=number,
            kind=kind,
            amount=amount,
            transaction_id=uuid.uuid4(),
            created_at=BEGIN + timedelta(minutes=number),
        )
        for number, (kind, amount) in enumerate(moved, 1)
    ]
    limits = [LimitChange(BEGIN, Decimal("5000.00"))]
    return Statement(7, MARCH, Decimal(opening), entries, None, limits)


def sheets(statement: Statement, language: str) -> bytes:
    with translation.override(language):
        return printed(statement, username="shop-1", at=BEGIN)


def amount(shown: str) -> Decimal:
    return Decimal(shown.replace(",", ""))


class TestSheets:
    @given(st.lists(st.tuples(KINDS, AMOUNTS), max_size=120), AMOUNTS)
    def test_say_every_entry_and_add_up(self, moved: list[tuple[str, Decimal]], opening: Decimal) -> None:
        statement = statement_of(moved, str(opening))
        found = text_of(sheets(statement, "en"))
        rows = ROW.findall(found)
        assert [(kind.lower(), amount(each)) for _, kind, each, _ in rows] == moved
        used = opening
        for _, _, each, after in rows:
            used += amount(each)
            assert amount(after) == used
        [closing] = re.findall(r"Closing (-?[\d,]+\.\d\d)", found)
        assert amount(closing) == statement.closing == used

    def test_are_persian_with_jalali_days_in_the_order_in_which_they_are_read(self) -> None:
        statement = statement_of([("reserve", Decimal("1234.50")), ("repayment", Decimal("-34.50"))], "100.00")
        reserved, repaid = (entry.transaction_id for entry in statement.entries)
        found = text_of(sheets(statement, "fa"))
        for line in (
            "صورت‌حساب پذیرنده",
            "دوره از ۱۴۰۵/۰۱/۰۱ تا ۱۴۰۵/۰۱/۳۱",
            "شمارهٔ پذیرنده ۷",
            "ابتدای دوره ۱۰۰٫۰۰ –",
            "رزرو ۱ ۱٬۲۳۴٫۵۰",
            "بازپرداخت ۱ -۳۴٫۵۰",
            "پایان دوره ۱٬۳۰۰٫۰۰ ۵٬۰۰۰٫۰۰",
            "پذیرنده shop-1",
            "۱۴۰۵/۰۱/۰۱ ۱۲:۰۰:۰۰ UTC ۵٬۰۰۰٫۰۰",
            "منطقهٔ زمانی UTC",
            f"رزرو {reserved} ۱٬۲۳۴٫۵۰ ۱٬۳۳۴٫۵۰",
            f"بازپرداخت {repaid} -۳۴٫۵۰ ۱٬۳۰۰٫۰۰",
            "Etebar – shop-1",
            "صفحهٔ ۱ از ۱",
        ):
            assert line in found

    def test_go_on_on_further_pages_with_their_headings(self) -> None:
        file = sheets(statement_of([("reserve", Decimal("1.00"))] * 200), "en")
        pages = [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(file)]
        assert len(pages) > 3
        for number, page in enumerate(pages, 1):
            assert f"Page {number} of {len(pages)}" in page
            assert "Used after" in page
        assert len(ROW.findall("\n".join(pages))) == 200

    def test_of_nothing_say_so(self) -> None:
        assert "Nothing moved in this period." in text_of(sheets(statement_of([]), "en"))


class TestLines:
    @given(st.lists(WORDS | NUMBERS, min_size=1, max_size=6).map(" ".join))
    def test_of_persian_are_found_as_they_are_read(self, line: str) -> None:
        document = Document(language="fa", right_to_left=True, title=line)
        document.page()
        document.text(line, 50, 100, font="Vazirmatn-Regular", size=10)
        assert text_of(document.finish()).strip() == line

    @given(st.uuids().map(str) | st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9.@+_-]{0,18}[A-Za-z0-9])?\Z"))
    def test_of_names_and_ids_are_whole_between_persian_ones(self, name: str) -> None:
        document = Document(language="fa", right_to_left=True, title=name)
        document.page()
        for across, text in ((50, "پذیرنده"), (120, name), (400, "۱٬۲۳۴٫۵۰")):
            document.text(text, across, 100, font="Vazirmatn-Regular", size=10)
        assert text_of(document.finish()).strip() == f"پذیرنده {name} ۱٬۲۳۴٫۵۰"

    def test_of_names_look_the_same_whichever_way_the_page_runs(self) -> None:
        pictures = []
        for right_to_left in (False, True):
            document = Document(language="fa", right_to_left=right_to_left, title="names")
            document.page()
            across = 50 if not right_to_left else WIDTH - 50
            align: Align = "end" if right_to_left else "start"
            document.text("r1-shop_2@x", across, 100, font="Vazirmatn-Regular", size=10, align=align)
            pictures.append(pypdfium2.PdfDocument(document.finish())[0].render(scale=3))
        assert bytes(pictures[0].buffer) == bytes(pictures[1].buffer)

    def test_begin_and_end_where_they_are_put(self) -> None:
        places = {}
        for right_to_left in (False, True):
            document = Document(language="fa", right_to_left=right_to_left, title="places")
            document.page()
            document.text("سلام", 50, 100, font="Vazirmatn-Regular", size=10)
            page = pypdfium2.PdfDocument(document.finish())[0]
            left, _, right, _ = page.get_objects().__next__().get_bounds()
            places[right_to_left] = (round(left), round(page.get_width() - right))
        assert places[False][0] in range(49, 52)
        assert places[True][1] in range(49, 52)
