"""Rows as a CSV file (RFC 4180)."""

import csv
import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

PAGE_ROWS = 2000
# the text of a file is in the pod's memory until it is sent: some 30 MB
MOST_ROWS = 200_000
# a spreadsheet takes a text that begins with one of these for a formula
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


class _Line:
    """What csv.writer writes to: the line, given back."""

    def write(self, line: str) -> str:
        return line


def is_too_long(rows: QuerySet[Any]) -> bool:
    """Whether there are more rows than a file may have."""
    return bool(rows.order_by("pk")[MOST_ROWS : MOST_ROWS + 1].exists())


def csv_response(rows: QuerySet[Any], names: Sequence[str], *, name: str) -> StreamingHttpResponse:
    """The rows in the order of their keys; a name may lead over relations by `__`. They are read a page at a time."""
    response = StreamingHttpResponse(_lines(rows, names), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _lines(rows: QuerySet[Any], names: Sequence[str]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(names)
    for page in _pages(rows):
        for row in page:
            yield writer.writerow([_cell(_value(row, name)) for name in names])


def _pages(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """By key and not by offset: rows that come meanwhile move nothing; no cursor stays open over PgBouncer."""
    in_order = rows.order_by("pk")
    page = list(in_order[:PAGE_ROWS])
    while page:
        yield page
        page = list(in_order.filter(pk__gt=page[-1].pk)[:PAGE_ROWS])


def _value(row: Model, name: str) -> Any:
    value: Any = row
    for step in name.split("__"):
        value = getattr(value, step, None)
    return value() if callable(value) else value


def _cell(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    text = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_SIGNS) else text
