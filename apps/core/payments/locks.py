"""Every row lock that Python takes, in the one order: a managed merchant, a withdrawal, merchants' credit by merchant
id, the merchant, its approval request, the pool.

payments_reserve and payments_confirm take theirs in the same order (sql/0003_money.sql). An account is locked before
its refresh tokens, the older of them first, and nothing else beside them. The log of deliveries, which is no part of
the books, has its own (payments.webhooks): a delivery, then its endpoint.
"""

from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from etebar_common.problems import CredentialsInvalid, NotFound, TokenInvalid
from payments.models import POOL_ID, ApprovalRequest, CreditPool, ManagedMerchant, Merchant, MerchantCredit, Withdrawal


def lock_merchant(merchant_id: int) -> Merchant:
    """The merchant, its credit locked before it: a withdrawal under way ends first. Raises NotFound."""
    MerchantCredit.objects.select_for_update().filter(merchant_id=merchant_id).first()
    merchant = Merchant.objects.select_for_update(of=("self",)).select_related("user").filter(pk=merchant_id).first()
    if merchant is None:
        raise NotFound(f"there is no merchant {merchant_id}")
    return merchant


def lock_managed(namespace: str, name: str, username: str) -> ManagedMerchant | None:
    """What is known of the merchant that an object keeps; None before it is registered, which one transaction does."""
    with connection.cursor() as cursor:
        # there is no row to lock yet
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{namespace}/{name}/{username}"])
    found = ManagedMerchant.objects.select_related("merchant__user")
    return found.filter(namespace=namespace, name=name, username=username).first()


def lock_approval(approval_id: UUID) -> ApprovalRequest:
    """The request, and before it the withdrawal or the merchant that it is about. Raises NotFound."""
    found = ApprovalRequest.objects.filter(pk=approval_id).values_list("merchant_id", "withdrawal_id").first()
    if found is None:
        raise NotFound(f"there is no approval request {approval_id}")
    merchant_id, withdrawal_id = found
    if withdrawal_id is not None:
        lock_withdrawal(withdrawal_id)
    if merchant_id is not None:
        lock_merchant(merchant_id)
    requests = ApprovalRequest.objects.select_for_update(of=("self",)).select_related("merchant", "withdrawal")
    return requests.get(pk=approval_id)


def lock_repayment_reference(reference: str) -> None:
    """The bank's reference of a repayment, in capitals or not: who records the same at the same time waits."""
    with connection.cursor() as cursor:
        # there is no row to lock yet
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"repayment {reference.upper()}"])


def lock_difference(line_id: int | None, withdrawal_id: UUID | None) -> None:
    """A line of the bank's, or a withdrawal that no line tells of: who asks about it at the same time waits."""
    with connection.cursor() as cursor:
        # rows of statements are added to alone: there is no right to lock one
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"difference {line_id} {withdrawal_id}"]
        )


def lock_withdrawal(withdrawal_id: UUID) -> Withdrawal:
    """The withdrawal: who confirms it or asks about it passes it over meanwhile. Raises NotFound."""
    withdrawal = Withdrawal.objects.select_for_update().filter(pk=withdrawal_id).first()
    if withdrawal is None:
        raise NotFound(f"there is no withdrawal {withdrawal_id}")
    return withdrawal


def lock_pool() -> CreditPool:
    """The pool's one row, made when it is not there."""
    CreditPool.objects.bulk_create([CreditPool(pk=POOL_ID)], ignore_conflicts=True)
    return CreditPool.objects.select_for_update().get(pk=POOL_ID)


def lock_totp_device(user_id: int) -> TOTPDevice | None:
    """The account's second factor, locked alone; None without one."""
    return TOTPDevice.objects.select_for_update().filter(user_id=user_id, confirmed=True).order_by("pk").first()


def lock_account(user_id: int) -> User:
    """The account as it is: who sets its password meanwhile waits. Raises CredentialsInvalid when it is gone."""
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise CredentialsInvalid
    return user


def lock_refresh_token(jti: str) -> OutstandingToken:
    """The refresh token's row: of simultaneous refreshes the later ones wait for it. Raises TokenInvalid."""
    token = OutstandingToken.objects.select_for_update(of=("self",)).filter(jti=jti).first()
    if token is None:
        raise TokenInvalid("the token is not known")
    return token


def lock_refresh_tokens(user: User) -> list[OutstandingToken]:
    """The account's refresh tokens that are not spent; one that somebody refreshes meanwhile may be by now."""
    unspent = OutstandingToken.objects.filter(user=user, blacklistedtoken__isnull=True)
    return list(unspent.select_for_update(of=("self",)).order_by("pk"))
