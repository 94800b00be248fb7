"""How a statement looks, in JSON and as a CSV file (RFC 4180)."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from io import StringIO
from typing import Any

from etebar_common.money import CENT
from payments.account_statements.selectors import Period, Statement, entries_in_pages, opening_of, time_zone
from payments.answers import timestamp
from payments.ledger.api import entry_members
from payments.models import LedgerEntry

COLUMNS = ("number", "at", "kind", "transaction_id", "amount", "used_after")


def statement_members(statement: Statement) -> dict[str, Any]:
    """The members of a statement."""
    period = statement.period
    return {
        "merchant_id": statement.merchant_id,
        "period_from": period.first.isoformat(),
        "period_to": period.last.isoformat(),
        "time_zone": time_zone().key,
        "opening": _balance(statement.opening, statement.opening_limit),
        "closing": _balance(statement.closing, statement.closing_limit),
        "totals": [
            {"kind": kind, "count": count, "amount": _text(amount)}
            for kind, (count, amount) in sorted(statement.totals.items())
        ],
        "limits": [{"at": timestamp(each.at), "credit_limit": _text(each.limit)} for each in statement.limits],
        "entries": [entry_members(entry) for entry in statement.entries],
    }


def csv_lines(merchant_id: int, period: Period) -> Iterator[str]:
    """A head, what was used before, each entry with what was used after it, and what is used at the end."""
    used = opening = opening_of(merchant_id, period)
    yield _line(COLUMNS)
    yield _line(("", timestamp(period.begin), "opening", "", "", _text(opening)))
    for after, entry in entries_in_pages(merchant_id, period, opening):
        used = after
        yield _line(_cells(entry, after))
    yield _line(("", timestamp(period.end), "closing", "", "", _text(used)))


def _cells(entry: LedgerEntry, after: Decimal) -> tuple[Any, ...]:
    at = timestamp(entry.created_at)
    return entry.number, at, entry.kind, entry.transaction_id, _text(entry.amount), _text(after)


def _line(cells: tuple[Any, ...]) -> str:
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


def _balance(used: Decimal, limit: Decimal | None) -> dict[str, str | None]:
    return {"used": _text(used), "credit_limit": None if limit is None else _text(limit)}


def _text(amount: Decimal) -> str:
    return str(amount.quantize(CENT))
