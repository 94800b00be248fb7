"""A bank's statement as CSV (RFC 4180): UTF-8, commas, one header line with these five columns in any order.

booked_on (YYYY-MM-DD), bank_reference, reference, amount (what left the account; "-1.00" came in), account (may be
empty). docs/how-to/reconcile.md has an example.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date

from payments.bank_statements.form import (
    LONGEST_REFERENCE,
    Errors,
    Line,
    Statement,
    covered,
    invalid,
    parse_account,
    parse_bank_reference,
    parse_booked_amount,
    parse_day,
    parse_text,
)

FORM = "csv"
COLUMNS = ("booked_on", "bank_reference", "reference", "amount", "account")


def parse_csv(content: bytes, period_from: date | None = None, period_to: date | None = None) -> Statement:
    """The statement, covering the given days or those of its lines; raises BankStatementInvalid, naming each line."""
    rows = _rows(_decoded(content))
    header = next(rows, (1, []))[1]
    if sorted(header) != sorted(COLUMNS):
        raise invalid([{"field": "line 1", "detail": f"is not the header; expected the columns {','.join(COLUMNS)}"}])
    errors = Errors()
    lines = [line for number, row in rows if (line := _line(number, header, row, errors)) is not None]
    errors.raise_any()
    first, last = covered([line.booked_on for line in lines], period_from, period_to)
    return Statement(FORM, first, last, lines)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise invalid([{"field": f"line {number}", "detail": "is not UTF-8"}]) from error


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line that they end in; empty ones are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise invalid([{"field": f"line {reader.line_num}", "detail": f"is not CSV: {error}"}]) from error


def _line(number: int, header: list[str], row: list[str], errors: Errors) -> Line | None:
    """The line of a row; None for one that is wrong, which is noted."""
    if len(row) != len(header):
        errors.add(f"line {number}", f"has {len(row)} columns, expected {len(header)}")
        return None
    told = dict(zip(header, row, strict=True))
    found: dict[str, object] = {}
    for name, parse in _PARSERS.items():
        with errors.at(f"line {number}, {name}"):
            found[name] = parse(told[name])
    return Line(**found) if len(found) == len(_PARSERS) else None  # type: ignore[arg-type] # each by its parser


_PARSERS = {
    "booked_on": lambda text: parse_day(text.strip()),
    "bank_reference": parse_bank_reference,
    "reference": lambda text: parse_text(text, LONGEST_REFERENCE),
    "amount": lambda text: parse_booked_amount(text.strip(), signed=True),
    "account": parse_account,
}
