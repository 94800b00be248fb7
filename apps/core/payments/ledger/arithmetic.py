"""What a ledger transaction is: signed postings that sum to zero. Imports no framework: it can be read as the rule.

The pool's balance is what is available, a merchant's what it uses, the funding's what came in from outside (negative),
the adjustment's what was corrected (with the other sign).
payments_reserve and payments_release post the same by set-based SQL; books/checks.py holds both to these rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Posting:
    """A signed amount on an account (`pool`, `merchant`, `funding` or `adjustment`, and its id)."""

    account: str
    account_id: int
    amount: Decimal


def _balanced(*postings: Posting) -> tuple[Posting, ...]:
    if total(postings) != 0:
        raise ValueError("a ledger transaction must sum to zero")
    return postings


def total(postings: Iterable[Posting]) -> Decimal:
    """The sum of the amounts."""
    return sum((posting.amount for posting in postings), Decimal(0))


def top_up(amount: Decimal, pool_id: int) -> tuple[Posting, ...]:
    """Funding from outside goes to the pool."""
    return _balanced(Posting("funding", pool_id, -amount), Posting("pool", pool_id, amount))


def adjustment(amount: Decimal, pool_id: int) -> tuple[Posting, ...]:
    """A correction of the pool, by a signed amount."""
    return _balanced(Posting("adjustment", pool_id, -amount), Posting("pool", pool_id, amount))


def use(amount: Decimal, pool_id: int, merchant_id: int) -> tuple[Posting, ...]:
    """A signed amount goes from the pool to what a merchant uses; a repayment's is negative, a reversal's positive."""
    return _balanced(Posting("merchant", merchant_id, amount), Posting("pool", pool_id, -amount))


def reserve(amount: Decimal, pool_id: int, merchant_id: int) -> tuple[Posting, ...]:
    """A withdrawal takes from the pool and adds to what the merchant uses."""
    return use(amount, pool_id, merchant_id)


def release(amount: Decimal, pool_id: int, merchant_id: int) -> tuple[Posting, ...]:
    """A failed withdrawal gives both back."""
    return use(-amount, pool_id, merchant_id)
