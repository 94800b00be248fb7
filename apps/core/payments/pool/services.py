"""What changes the credit pool beside withdrawals."""

from decimal import Decimal
from uuid import UUID

from django.utils import timezone
from uuid_utils.compat import uuid7

from etebar_common.money import LARGEST_AMOUNT
from etebar_common.problems import InsufficientPool, ValidationFailed
from payments.audit.services import Actor, record
from payments.ledger import arithmetic
from payments.ledger.posting import After, post
from payments.locks import lock_pool
from payments.models import CreditPool, LedgerEntry, PoolAdjustment, PoolTopUp


def pool_top_up(
    *, amount: Decimal, by: Actor, namespace: str | None = None, reference: str | None = None
) -> tuple[PoolTopUp, CreditPool]:
    """Adds money to the pool and posts it; runs in its caller's transaction. `reference` is unique in its namespace.

    Raises ValidationFailed when all top-ups together would be more than a column can hold.
    """
    pool = lock_pool()
    if pool.funded_amount + amount > LARGEST_AMOUNT:
        detail = f"is too much: top-ups so far are {pool.funded_amount}, the pool holds at most {LARGEST_AMOUNT}"
        raise ValidationFailed("not right: amount", extensions={"errors": [{"field": "amount", "detail": detail}]})
    top_up = PoolTopUp.objects.create(
        pk=uuid7(), amount=amount, made_by_id=by.user_id, namespace=namespace, reference=reference
    )
    record(by, "pool_topped_up", amount=amount, top_up_id=top_up.pk, reference=reference or "")
    pool.available_amount += amount
    pool.ledger_number += 1
    pool.funded_amount += amount
    pool.funding_ledger_number += 1
    pool.save()
    post(top_up.pk, LedgerEntry.Kind.TOP_UP, arithmetic.top_up(amount, pool.pk), _after(pool))
    return top_up, pool


def pool_adjust(*, adjustment_id: UUID, amount: Decimal, reason: str, asked_by_id: int, by: Actor) -> PoolAdjustment:
    """Corrects the pool by a signed amount and posts it; runs in its caller's transaction, which knows both people.

    Raises InsufficientPool for what the pool does not have, and ValidationFailed for what no column can hold.
    """
    pool = lock_pool()
    if pool.available_amount + amount < 0:
        raise InsufficientPool(f"the pool has {pool.available_amount} available, the adjustment is {amount}")
    if max(abs(pool.adjusted_amount + amount), pool.available_amount + amount) > LARGEST_AMOUNT:
        raise ValidationFailed(f"the pool holds at most {LARGEST_AMOUNT}, so do all adjustments together")
    adjustment = PoolAdjustment.objects.create(
        pk=adjustment_id,
        amount=amount,
        reason=reason,
        asked_by_id=asked_by_id,
        decided_by_id=by.user_id,
        created_at=timezone.now(),
    )
    record(by, "pool_adjusted", amount=amount, adjustment_id=adjustment_id, reason=reason)
    pool.available_amount += amount
    pool.ledger_number += 1
    pool.adjusted_amount += amount
    pool.adjustment_ledger_number += 1
    pool.save()
    post(adjustment.pk, LedgerEntry.Kind.ADJUSTMENT, arithmetic.adjustment(amount, pool.pk), _after(pool))
    return adjustment


def _after(pool: CreditPool) -> After:
    return {
        "pool": (pool.ledger_number, pool.available_amount),
        "funding": (pool.funding_ledger_number, -pool.funded_amount),
        "adjustment": (pool.adjustment_ledger_number, -pool.adjusted_amount),
    }
