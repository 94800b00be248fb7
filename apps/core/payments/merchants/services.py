"""What staff and newcomers do to merchants. Every function runs in its caller's transaction."""

from decimal import Decimal

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from core.environment import ENVIRONMENT
from etebar_common.fingerprint import account_fingerprint
from etebar_common.problems import MerchantStateConflict, UsernameTaken
from payments.locks import lock_merchant
from payments.models import Merchant, MerchantCredit, WalletAccount

State = Merchant.State


def merchant_register(*, username: str, password: str, requested_credit: Decimal, bank_account: str) -> Merchant:
    """A new merchant that waits for approval; raises UsernameTaken."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(username=username, password=password)
    except IntegrityError as error:
        raise UsernameTaken(f"the username {username} is taken") from error
    return Merchant.objects.create(user=user, requested_credit=requested_credit, bank_account=bank_account)


def merchant_approve(*, merchant_id: int, credit_limit: Decimal) -> Merchant:
    """Lets a pending merchant withdraw up to the limit; raises NotFound and MerchantStateConflict."""
    merchant = lock_merchant(merchant_id)
    _change_state(merchant, allowed=State.PENDING, to=State.APPROVED)
    key = ENVIRONMENT.account_fingerprint_key.get_secret_value().encode()
    WalletAccount.objects.create(
        merchant=merchant,
        bank_account=merchant.bank_account,
        fingerprint=account_fingerprint(merchant.bank_account, key),
    )
    MerchantCredit.objects.create(merchant=merchant, credit_limit=credit_limit)
    return merchant


def merchant_refuse(*, merchant_id: int, reason: str) -> Merchant:
    """Turns a pending merchant away; raises NotFound and MerchantStateConflict."""
    return _change_state(lock_merchant(merchant_id), allowed=State.PENDING, to=State.REFUSED, reason=reason)


def merchant_suspend(*, merchant_id: int, reason: str) -> Merchant:
    """Stops an approved merchant's withdrawals at once, tokens or not; raises NotFound and MerchantStateConflict."""
    return _change_state(lock_merchant(merchant_id), allowed=State.APPROVED, to=State.SUSPENDED, reason=reason)


def merchant_reinstate(*, merchant_id: int) -> Merchant:
    """Lets a suspended merchant withdraw again; raises NotFound and MerchantStateConflict."""
    return _change_state(lock_merchant(merchant_id), allowed=State.SUSPENDED, to=State.APPROVED)


def credit_limit_change(*, merchant_id: int, credit_limit: Decimal) -> Merchant:
    """Sets the limit; one below what is used only stops new withdrawals. Raises NotFound and MerchantStateConflict."""
    merchant = lock_merchant(merchant_id)
    if not MerchantCredit.objects.filter(merchant=merchant).update(credit_limit=credit_limit):
        raise MerchantStateConflict("the merchant has no credit before it is approved", extensions=_state(merchant))
    return merchant


def _change_state(merchant: Merchant, *, allowed: State, to: State, reason: str = "") -> Merchant:
    if merchant.state != allowed:
        raise MerchantStateConflict(
            f"the merchant is {merchant.state}; expected {allowed.value}", extensions=_state(merchant)
        )
    merchant.state, merchant.state_reason, merchant.state_changed_at = to, reason, timezone.now()
    merchant.save(update_fields=["state", "state_reason", "state_changed_at"])
    return merchant


def _state(merchant: Merchant) -> dict[str, str]:
    return {"state": str(merchant.state)}
