"""How what the operator asked for looks in JSON."""

from decimal import Decimal
from typing import Any

from etebar_common.money import CENT
from payments.answers import timestamp
from payments.approvals.representation import approval_members
from payments.approvals.services import open_request
from payments.merchants.representation import merchant_members
from payments.merchants.selectors import merchant_get
from payments.models import Merchant, PoolTopUp
from payments.onboarding.selectors import ZERO, pending_of
from payments.onboarding.services import Outcome

SHOWN = ("merchant_id", "username", "state", "state_reason", "credit_limit", "utilized_amount", "available_credit")


def outcome_members(outcome: Outcome, username: str) -> dict[str, Any]:
    """The merchant as it is, and how it differs from what the object wishes."""
    link = outcome.link
    merchant = merchant_get(link.merchant_id) if link else None
    return {
        **(_shown(merchant) if merchant else dict.fromkeys(SHOWN, None) | {"username": username, "state_reason": ""}),
        "pending_amount": _text(pending_of(merchant)[1] if merchant else ZERO),
        "has_credentials": bool(link and link.password_digest and link.merchant.user.is_active),
        "approval_request": _approval(merchant) if merchant else None,
        "drift": outcome.drift,
        "released": outcome.released,
        "waits_for": outcome.waits_for,
    }


def _shown(merchant: Merchant) -> dict[str, Any]:
    members = merchant_members(merchant)
    return {name: members[name] for name in SHOWN}


def _approval(merchant: Merchant) -> dict[str, Any] | None:
    asked = open_request(merchant)
    if asked is None:
        return None
    members = approval_members(asked)
    return {name: members[name] for name in ("approval_id", "credit_limit", "created_at")}


def top_up_members(top_up: PoolTopUp, *, first: bool) -> dict[str, Any]:
    """A top-up, and whether this call made it."""
    return {
        "top_up_id": str(top_up.pk),
        "amount": _text(top_up.amount),
        "applied_at": timestamp(top_up.created_at),
        "first": first,
    }


def amount_members(amounts: dict[str, Decimal]) -> dict[str, str]:
    """Amounts as text."""
    return {name: _text(amount) for name, amount in amounts.items()}


def _text(amount: Decimal) -> str:
    return str(amount.quantize(CENT))
