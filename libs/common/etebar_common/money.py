"""Amounts: a decimal string at the edge, Decimal with two places inside, numeric(20,2) in PostgreSQL."""

import re
from decimal import Decimal

AMOUNT_PATTERN = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,2})?$"
# The same without zero, for documents that say what is accepted (no look-ahead: not every engine has it).
POSITIVE_AMOUNT_PATTERN = r"^([1-9][0-9]{0,17}(\.[0-9]{1,2})?|0\.([1-9][0-9]?|0[1-9]))$"
SIGNED_AMOUNT_PATTERN = "^-?" + AMOUNT_PATTERN[1:]
POSITIVE_OR_NEGATIVE_PATTERN = "^-?" + POSITIVE_AMOUNT_PATTERN[1:]
AMOUNT_HELP = 'a decimal string with at most two places and at most 18 digits before them, such as "1.00"'
_AMOUNT = re.compile(AMOUNT_PATTERN[:-1] + r"\Z", re.ASCII)
CENT = Decimal("0.01")
LARGEST_AMOUNT = Decimal("999999999999999999.99")


def parse_amount(value: object, *, allow_zero: bool = False) -> Decimal:
    """The amount that a decimal string names.

    Raises ValueError, saying what was wrong, for JSON numbers, signs, exponents, more than two places and,
    unless `allow_zero`, for zero.
    """
    if not isinstance(value, str):
        kind = "a JSON number" if isinstance(value, int | float) and not isinstance(value, bool) else "not a string"
        message = f"is {kind}; expected {AMOUNT_HELP}"
        raise ValueError(message)
    if not _AMOUNT.match(value):
        message = f"is not an amount; expected {AMOUNT_HELP}"
        raise ValueError(message)
    amount = Decimal(value).quantize(CENT)
    if not amount and not allow_zero:
        message = 'must be more than zero, at least "0.01"'
        raise ValueError(message)
    return amount


def parse_signed_amount(value: object) -> Decimal:
    """The amount that a decimal string names, with a minus sign if it has one; raises ValueError as parse_amount."""
    negative = isinstance(value, str) and value.startswith("-")
    amount = parse_amount(value[1:] if isinstance(value, str) and negative else value)
    return -amount if negative else amount
