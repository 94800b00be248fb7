"""How amounts, numbers and times look in the console: by the language of who reads them."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import jdatetime
from django.utils import timezone
from django.utils.translation import get_language

from core.environment import ENVIRONMENT
from etebar_common.money import CENT

PERSIAN = "fa"
# digits, and the Arabic signs for thousands and decimals that Persian writes
_PERSIAN_SIGNS = str.maketrans("0123456789,.", "۰۱۲۳۴۵۶۷۸۹٬٫")
_LATIN_DIGITS = str.maketrans("۰۱۲۳۴۵۶۷۸۹٬٫", "0123456789,.")


def is_persian() -> bool:
    """Whether the page that is being made is in Persian."""
    return (get_language() or "").startswith(PERSIAN)


def number(value: int) -> str:
    """A count with its thousands apart: 1,234 or ۱٬۲۳۴."""
    return _localized(f"{value:,}")


def money(amount: Decimal | None) -> str:
    """An amount with two places: 1,234.50 or ۱٬۲۳۴٫۵۰; a dash for none."""
    return "–" if amount is None else _localized(f"{amount.quantize(CENT):,}")


def moment(at: datetime | None) -> str:
    """A time to the second in the installation's time zone, with its name; Jalali in Persian. A dash for none."""
    if at is None:
        return "–"
    local = timezone.localtime(at, ZoneInfo(ENVIRONMENT.calendar_time_zone))
    if not is_persian():
        return f"{local:%Y-%m-%d %H:%M:%S %Z}"
    jalali = jdatetime.datetime.fromgregorian(datetime=local.replace(tzinfo=None))
    return f"{jalali:%Y/%m/%d %H:%M:%S}".translate(_PERSIAN_SIGNS) + f" {local:%Z}"


def latin_digits(typed: str) -> str:
    """What was typed with Persian digits and signs, as the services read amounts."""
    return typed.translate(_LATIN_DIGITS).replace(",", "")


def _localized(text: str) -> str:
    return text.translate(_PERSIAN_SIGNS) if is_persian() else text
