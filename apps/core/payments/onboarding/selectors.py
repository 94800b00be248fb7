"""Reads what status shows."""

from decimal import Decimal

from django.db.models import Count, Subquery, Sum

from payments.models import POOL_ID, CreditPool, Merchant, Withdrawal

ZERO = Decimal("0.00")
PENDING = Withdrawal.State.PENDING


def pending_of(merchant: Merchant) -> tuple[int, Decimal]:
    """How many of its withdrawals are pending, and their sum."""
    found = Withdrawal.objects.filter(merchant=merchant, state=PENDING).aggregate(count=Count("pk"), sum=Sum("amount"))
    return found["count"], found["sum"] or ZERO


def pool_amounts() -> dict[str, Decimal]:
    """The pool as one statement sees it: what is available, reserved by pending withdrawals, settled, and funded.

    Settled is what of all that came in is neither available nor reserved (I2): nothing is summed over history.
    """
    reserved = Withdrawal.objects.filter(state=PENDING).values("state").annotate(sum=Sum("amount")).values("sum")
    pool = CreditPool.objects.annotate(reserved=Subquery(reserved)).get(pk=POOL_ID)
    reserved_amount = pool.reserved or ZERO
    came_in = pool.funded_amount + pool.adjusted_amount + pool.repaid_amount
    return {
        "available_amount": pool.available_amount,
        "reserved_amount": reserved_amount,
        "settled_amount": came_in - pool.available_amount - reserved_amount,
        "funded_amount": pool.funded_amount,
    }
