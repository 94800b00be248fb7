"""A top-up by reference: once, however often it is asked for."""

from decimal import Decimal

from django.db import transaction

from etebar_common.problems import TopUpConflict
from payments.audit.services import operator_actor
from payments.locks import lock_pool
from payments.models import PoolTopUp
from payments.pool.services import pool_top_up


@transaction.atomic(durable=True)
def top_up_put(*, namespace: str, reference: str, name: str, amount: Decimal) -> tuple[PoolTopUp, bool]:
    """The top-up of this reference, and whether this call made it; raises TopUpConflict for another amount."""
    # simultaneous calls wait here, so that only the first finds nothing
    lock_pool()
    made = PoolTopUp.objects.filter(namespace=namespace, reference=reference).first()
    if made is None:
        by = operator_actor(namespace, name)
        return pool_top_up(amount=amount, by=by, namespace=namespace, reference=reference)[0], True
    if made.amount != amount:
        raise TopUpConflict(
            f"{reference} topped the pool up with {made.amount}; expected the same amount, or another reference",
            extensions={"applied_amount": str(made.amount)},
        )
    return made, False
