"""What staff and newcomers do to merchants. Every function runs in its caller's transaction."""

from decimal import Decimal

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from etebar_common.problems import MerchantStateConflict, UsernameTaken
from payments.audit.services import Actor, record
from payments.locks import lock_merchant
from payments.merchants.accounts import fingerprint_of, stored_account
from payments.models import Merchant, MerchantCredit, WalletAccount

State = Merchant.State


def merchant_register(*, username: str, password: str, requested_credit: Decimal, bank_account: str) -> Merchant:
    """A new merchant that waits for approval; raises UsernameTaken."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(username=username, password=password)
    except IntegrityError as error:
        raise UsernameTaken(f"the username {username} is taken") from error
    return Merchant.objects.create(user=user, requested_credit=requested_credit, **stored_account(bank_account))


def merchant_approve(*, merchant_id: int, credit_limit: Decimal, by: Actor) -> Merchant:
    """Lets a pending merchant withdraw up to the limit; raises NotFound and MerchantStateConflict."""
    merchant = lock_merchant(merchant_id)
    _change_state(merchant, allowed={State.PENDING}, to=State.APPROVED)
    record(by, "merchant_approved", merchant_id=merchant_id, credit_limit=credit_limit)
    number = merchant.account_number
    WalletAccount.objects.create(merchant=merchant, fingerprint=fingerprint_of(number), **stored_account(number))
    MerchantCredit.objects.create(merchant=merchant, credit_limit=credit_limit)
    return merchant


def merchant_refuse(*, merchant_id: int, reason: str, by: Actor) -> Merchant:
    """Turns a pending merchant away; raises NotFound and MerchantStateConflict."""
    record(by, "merchant_refused", merchant_id=merchant_id, reason=reason)
    return _change_state(lock_merchant(merchant_id), allowed={State.PENDING}, to=State.REFUSED, reason=reason)


def merchant_suspend(*, merchant_id: int, reason: str, by: Actor) -> Merchant:
    """Stops an approved merchant's withdrawals at once, tokens or not; raises NotFound and MerchantStateConflict."""
    record(by, "merchant_suspended", merchant_id=merchant_id, reason=reason)
    return _change_state(lock_merchant(merchant_id), allowed={State.APPROVED}, to=State.SUSPENDED, reason=reason)


def merchant_reinstate(*, merchant_id: int, by: Actor) -> Merchant:
    """Lets a suspended merchant withdraw again; raises NotFound and MerchantStateConflict."""
    record(by, "merchant_reinstated", merchant_id=merchant_id)
    return _change_state(lock_merchant(merchant_id), allowed={State.SUSPENDED}, to=State.APPROVED)


def merchant_close(*, merchant_id: int, by: Actor) -> Merchant:
    """Ends a merchant for good; the caller saw to it that it owes nothing. Raises NotFound, MerchantStateConflict."""
    record(by, "merchant_closed", merchant_id=merchant_id)
    before_closing = {State.PENDING, State.APPROVED, State.REFUSED, State.SUSPENDED}
    return _change_state(lock_merchant(merchant_id), allowed=before_closing, to=State.CLOSED)


def credit_limit_change(*, merchant_id: int, credit_limit: Decimal, by: Actor) -> Merchant:
    """Sets the limit; one below what is used only stops new withdrawals. Raises NotFound and MerchantStateConflict."""
    merchant = lock_merchant(merchant_id)
    credit = MerchantCredit.objects.filter(merchant=merchant).first()
    if credit is None:
        raise MerchantStateConflict("the merchant has no credit before it is approved", extensions=_state(merchant))
    record(by, "credit_limit_changed", merchant_id=merchant_id, before=credit.credit_limit, after=credit_limit)
    # the other columns are the money functions'
    MerchantCredit.objects.filter(pk=credit.pk).update(credit_limit=credit_limit)
    return merchant


def _change_state(merchant: Merchant, *, allowed: set[State], to: State, reason: str = "") -> Merchant:
    if merchant.state not in allowed:
        expected = " or ".join(sorted(state.value for state in allowed))
        raise MerchantStateConflict(
            f"the merchant is {merchant.state}; expected {expected}", extensions=_state(merchant)
        )
    merchant.state, merchant.state_reason, merchant.state_changed_at = to, reason, timezone.now()
    merchant.save(update_fields=["state", "state_reason", "state_changed_at"])
    return merchant


def _state(merchant: Merchant) -> dict[str, str]:
    return {"state": str(merchant.state)}
