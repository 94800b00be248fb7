"""What changes the credit pool beside withdrawals."""

from decimal import Decimal

from django.utils import timezone
from uuid_utils.compat import uuid7

from etebar_common.money import LARGEST_AMOUNT
from etebar_common.problems import ValidationFailed
from payments.audit.services import Actor, record
from payments.ledger import arithmetic
from payments.locks import lock_pool
from payments.models import CreditPool, LedgerEntry, PoolTopUp


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
    after = {
        "pool": (pool.ledger_number, pool.available_amount),
        "funding": (pool.funding_ledger_number, -pool.funded_amount),
    }
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            transaction_id=top_up.pk,
            kind=LedgerEntry.Kind.TOP_UP,
            account=posting.account,
            account_id=posting.account_id,
            number=after[posting.account][0],
            amount=posting.amount,
            balance_after=after[posting.account][1],
            created_at=timezone.now(),
        )
        for posting in arithmetic.top_up(amount, pool.pk)
    )
    return top_up, pool
