"""Every row lock that Python takes, in the one order: merchants' credit by merchant id, the merchant, the pool.

payments_reserve and payments_confirm take theirs in the same order (sql/0003_money.sql). A refresh token's row is
locked alone.
"""

from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from etebar_common.problems import NotFound, TokenInvalid
from payments.models import POOL_ID, CreditPool, Merchant, MerchantCredit


def lock_merchant(merchant_id: int) -> Merchant:
    """The merchant, its credit locked before it: a withdrawal under way ends first. Raises NotFound."""
    MerchantCredit.objects.select_for_update().filter(merchant_id=merchant_id).first()
    merchant = Merchant.objects.select_for_update(of=("self",)).select_related("user").filter(pk=merchant_id).first()
    if merchant is None:
        raise NotFound(f"there is no merchant {merchant_id}")
    return merchant


def lock_pool() -> CreditPool:
    """The pool's one row, made when it is not there."""
    CreditPool.objects.bulk_create([CreditPool(pk=POOL_ID)], ignore_conflicts=True)
    return CreditPool.objects.select_for_update().get(pk=POOL_ID)


def lock_refresh_token(jti: str) -> OutstandingToken:
    """The refresh token's row: of simultaneous refreshes the later ones wait for it. Raises TokenInvalid."""
    token = OutstandingToken.objects.select_for_update(of=("self",)).filter(jti=jti).first()
    if token is None:
        raise TokenInvalid("the token is not known")
    return token
