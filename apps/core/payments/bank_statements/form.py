"""What a bank's statement is, whatever its form; and how one that is wrong is told. Imports no framework."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from etebar_common.money import parse_amount
from etebar_common.problems import BankStatementInvalid

MOST_ERRORS = 20
LONGEST_REFERENCE = 140
LONGEST_ACCOUNT = 34
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_TRAILING_ZEROS = re.compile(r"(\.\d{2})0+\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """One booking. `amount` is what left the account, negative for what came in.

    `reference` is what we sent along, a withdrawal's id if it is one of ours; `bank_reference` is the bank's own, by
    which it tells its bookings apart; `account` is the other side's, "" where the bank does not say.
    """

    booked_on: date
    bank_reference: str
    reference: str
    amount: Decimal
    account: str = field(default="", repr=False)

    @property
    def withdrawal_id(self) -> UUID | None:
        """The withdrawal that the reference names, with or without hyphens: some banks cut at 35 characters."""
        try:
            return UUID(self.reference)
        except ValueError:
            return None

    def digest(self, ordinal: int) -> str:
        """The same for the same booking in whatever file; `ordinal` counts equal lines within a file, from 1.

        A file that tells of a payment twice tells of two payments, whatever the bank calls them.
        """
        parts = [self.booked_on.isoformat(), self.bank_reference, self.reference, str(self.amount), self.account]
        if ordinal > 1:
            parts.append(str(ordinal))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Statement:
    """A file's lines, in its order, and the days that it covers, both inclusive."""

    form: str
    period_from: date
    period_to: date
    lines: Sequence[Line]


class Errors:
    """Collects what is wrong with a file, by place, and raises it together."""

    def __init__(self) -> None:
        self._found: list[dict[str, str]] = []

    def add(self, place: str, detail: str) -> None:
        """Notes what is wrong; raises when that is enough."""
        self._found.append({"field": place, "detail": detail})
        if len(self._found) >= MOST_ERRORS:
            self.raise_any()

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Notes a ValueError as what is wrong at the place."""
        try:
            yield
        except ValueError as error:
            self.add(place, str(error))

    def raise_any(self) -> None:
        """Raises BankStatementInvalid when anything was noted."""
        if self._found:
            raise invalid(self._found)


def invalid(errors: list[dict[str, str]]) -> BankStatementInvalid:
    """The one error of a file, with each place that is wrong, at most MOST_ERRORS."""
    first = f"{errors[0]['field']}: {errors[0]['detail']}"
    return BankStatementInvalid(f"nothing was imported: {first}", extensions={"errors": errors})


def parse_day(text: str) -> date:
    """A day as YYYY-MM-DD; raises ValueError."""
    if not _DATE.match(text):
        message = f"is not a day, YYYY-MM-DD: {text[:40]!r}"
        raise ValueError(message)
    return date.fromisoformat(text)


def parse_booked_amount(text: str, *, signed: bool) -> Decimal:
    """An amount of more than zero, or less if `signed`, of two places however many zeros follow; raises ValueError."""
    negative = signed and text.startswith("-")
    amount = parse_amount(_TRAILING_ZEROS.sub(r"\1", text.removeprefix("-") if negative else text))
    return -amount if negative else amount


def parse_text(text: str, longest: int) -> str:
    """Text of one line without blanks at its ends; raises ValueError."""
    stripped = text.strip()
    if len(stripped) > longest or not stripped.isprintable():
        message = f"is not one line of at most {longest} characters"
        raise ValueError(message)
    return stripped


def parse_bank_reference(text: str) -> str:
    """The bank's own reference; raises ValueError without one, for nothing else tells two equal payments apart."""
    reference = parse_text(text, LONGEST_REFERENCE)
    if not reference:
        message = "is missing: it tells two equal bookings apart"
        raise ValueError(message)
    return reference


def parse_account(text: str) -> str:
    """An account number in its normal form, "" where there is none; raises ValueError."""
    return parse_text("".join(text.split()).upper(), LONGEST_ACCOUNT)


def covered(days: Sequence[date], period_from: date | None, period_to: date | None) -> tuple[date, date]:
    """The period: as given, else from the first booking to the last. Raises BankStatementInvalid."""
    if not days and (period_from is None or period_to is None):
        raise invalid([{"field": "period", "detail": "is not known: there is no line, and none is given"}])
    first, last = period_from or min(days), period_to or max(days)
    outside = [day for day in days if not first <= day <= last]
    if first > last or outside:
        named = outside[0].isoformat() if outside else f"{first} to {last}"
        raise invalid([{"field": "period", "detail": f"does not hold together: {named}"}])
    return first, last
