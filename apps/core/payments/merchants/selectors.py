"""Reads merchants."""

from django.db.models import QuerySet

from core.serializers import BIGINT_MAXIMUM
from etebar_common.problems import NotFound
from payments.models import Merchant


def merchants_loaded() -> QuerySet[Merchant]:
    """Merchants with all that an answer shows, in one query."""
    return Merchant.objects.select_related("user", "credit", "wallet_account")


def merchant_get(merchant_id: int) -> Merchant:
    """One merchant; raises NotFound."""
    merchant = merchants_loaded().filter(pk=merchant_id).first() if merchant_id <= BIGINT_MAXIMUM else None
    if merchant is None:
        raise NotFound(f"there is no merchant {merchant_id}")
    return merchant


def merchants_filtered(*, state: str | None = None, username: str | None = None) -> QuerySet[Merchant]:
    """Merchants in a state, or with a part of a username."""
    merchants = merchants_loaded()
    if state:
        merchants = merchants.filter(state=state)
    if username:
        merchants = merchants.filter(user__username__icontains=username)
    return merchants
