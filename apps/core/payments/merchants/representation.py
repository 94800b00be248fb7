"""How a merchant looks in JSON."""

from decimal import Decimal
from typing import Any

from etebar_common.money import CENT
from payments.answers import timestamp
from payments.merchants.accounts import masked_account
from payments.models import Merchant, MerchantCredit


def available_credit(credit: MerchantCredit) -> Decimal:
    """What may be withdrawn now; zero when the limit was lowered below what is used."""
    return max(credit.credit_limit - credit.utilized_amount, Decimal(0))


def _credit_members(credit: MerchantCredit | None) -> dict[str, str | None]:
    if credit is None:
        return {"credit_limit": None, "utilized_amount": None, "available_credit": None}
    amounts = {
        "credit_limit": credit.credit_limit,
        "utilized_amount": credit.utilized_amount,
        "available_credit": available_credit(credit),
    }
    return {name: str(amount.quantize(CENT)) for name, amount in amounts.items()}


def merchant_members(merchant: Merchant) -> dict[str, Any]:
    """The members of a merchant (loaded with user, credit and wallet_account)."""
    account = getattr(merchant, "wallet_account", None)
    return {
        "merchant_id": merchant.pk,
        "username": merchant.user.get_username(),
        "state": merchant.state,
        "state_reason": merchant.state_reason,
        "requested_credit": str(merchant.requested_credit.quantize(CENT)),
        "bank_account": masked_account(merchant),
        "wallet_account_id": str(account.pk) if account else None,
        **_credit_members(getattr(merchant, "credit", None)),
        "created_at": timestamp(merchant.created_at),
    }
