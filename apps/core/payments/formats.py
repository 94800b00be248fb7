"""How amounts, numbers, days and times look to people: by the language of who reads them."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import jdatetime
from django.utils import timezone
from django.utils.translation import get_language

from core.environment import ENVIRONMENT
from etebar_common.money import CENT

PERSIAN = "fa"
# what stands where there is no value
NOTHING = "–"
LEFT_TO_RIGHT = "\u200e"
# for what is written from left to right within a line of the other direction, whatever it begins with (UAX 9)
_ISOLATED_LEFT_TO_RIGHT, _END_OF_ISOLATED = "\u2066", "\u2069"
_NO_MARKS = dict.fromkeys(map(ord, (LEFT_TO_RIGHT, _ISOLATED_LEFT_TO_RIGHT, _END_OF_ISOLATED)))
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
# digits, and the Arabic signs for thousands and decimals that Persian writes
_PERSIAN_SIGNS = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫")
_LATIN_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٬٫", "0123456789,.")


def is_persian() -> bool:
    """Whether what is being made is in Persian."""
    return (get_language() or "").startswith(PERSIAN)


def number(value: int) -> str:
    """A count with its thousands apart: 1,234 or ۱٬۲۳۴."""
    return _localized(f"{value:,}")


def identifier(value: int) -> str:
    """A number that names something, without signs: 1234 or ۱۲۳۴."""
    return _localized(str(value))


def money(amount: Decimal | None) -> str:
    """An amount with two places: 1,234.50 or ۱٬۲۳۴٫۵۰; a dash for none."""
    if amount is None:
        return NOTHING
    shown = _localized(f"{amount.quantize(CENT):,}")
    # a line from right to left would put the sign behind the number
    return f"{LEFT_TO_RIGHT}{shown}" if amount < 0 and is_persian() else shown


def day(on: date) -> str:
    """A day: 2026-11-28, Jalali in Persian: ۱۴۰۵/۰۹/۰۷; Gregorian where that calendar ends."""
    if not is_persian():
        return f"{on}"
    try:
        return f"{jdatetime.date.fromgregorian(date=on):%Y/%m/%d}".translate(_PERSIAN_SIGNS)
    except ValueError:
        return f"{on}".translate(_PERSIAN_SIGNS)


def moment(at: datetime | None, *, zone: bool = True) -> str:
    """A time to the second in the installation's time zone, with its name; Jalali in Persian. A dash for none."""
    if at is None:
        return NOTHING
    try:
        local = timezone.localtime(at, ZoneInfo(ENVIRONMENT.calendar_time_zone))
    except OverflowError:  # at the end of the calendar
        local = at
    shown = f"{day(local.date())} {_localized(f'{local:%H:%M:%S}')}"
    return f"{shown} {_zone_name(local)}" if zone else shown


def code(value: object) -> str:
    """What machines gave a name to, as UUIDs: left as it is, and in its order within Persian."""
    return f"{_ISOLATED_LEFT_TO_RIGHT}{value}{_END_OF_ISOLATED}" if is_persian() else str(value)


def without_marks(text: str) -> str:
    """What was copied from a page, without the marks of direction that stood round it."""
    return text.translate(_NO_MARKS)


def digits(text: str) -> str:
    """A sentence of somebody else's, with the reader's digits."""
    return str(text).translate(_PERSIAN_DIGITS) if is_persian() else str(text)


def latin_digits(typed: str) -> str:
    """What was typed with Persian digits and signs, in Latin ones."""
    return typed.translate(_LATIN_DIGITS)


def _zone_name(local: datetime) -> str:
    """UTC, CET, or +0330 where nobody has made up letters; in Persian its sign is still before it."""
    name = f"{local:%Z}"
    return f"{LEFT_TO_RIGHT}{_localized(name)}" if is_persian() and name[:1] in ("+", "-") else name


def _localized(text: str) -> str:
    return text.translate(_PERSIAN_SIGNS) if is_persian() else text
