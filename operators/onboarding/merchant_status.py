"""From core's answer to an object's status."""

from typing import Any

from onboarding.conditions import Condition, is_so
from onboarding.core_answers import Drift, KeptMerchant
from onboarding.desired import DeletionPolicy, MerchantObject
from onboarding.errors import CoreRefused, reason_of

READY, REGISTERED, APPROVED = "Ready", "Registered", "Approved"
CREDENTIALS_ISSUED, LIMIT_IN_SYNC, DRIFTED, PENDING_APPROVAL = (
    "CredentialsIssued",
    "LimitInSync",
    "Drifted",
    "PendingApproval",
)
IN_FORCE = frozenset({"approved", "suspended"})


def figures(kept: KeptMerchant) -> dict[str, Any]:
    """The status' own members, beside conditions."""
    return {
        "merchantId": kept.merchant_id,
        "state": kept.state,
        "creditLimit": kept.credit_limit,
        "utilized": kept.utilized_amount,
        "available": kept.available_credit,
    }


def conditions(wished: MerchantObject, kept: KeptMerchant) -> list[Condition]:
    """All conditions of a merchant that core knows; Ready is last, and says why it is not."""
    found = [
        is_so(REGISTERED, value=True, reason="Registered", message=f"merchant {kept.merchant_id} in core"),
        _approved(wished, kept),
        _issued(kept),
        _limit(wished, kept),
        _drifted(kept),
        _pending(kept),
    ]
    return [*found, _ready(kept, found)]


def letting_go(wished: MerchantObject, kept: KeptMerchant) -> list[Condition]:
    """Those of an object that is deleted; Ready says what became of the merchant, or what it waits for."""
    if kept.released:
        return [_pending(kept), _released(wished, kept)]
    # withdrawals end by themselves, what is used must be repaid: who looks waits for other people
    reason = "WaitsForPending" if _cents(kept.pending_amount) else "WaitsForRepayment"
    message = f"not closed yet: {'; '.join(kept.waits_for)}; deletionPolicy: Retain would let it go, suspended"
    return [_pending(kept), is_so(READY, value=False, reason=reason, message=message)]


def _released(wished: MerchantObject, kept: KeptMerchant) -> Condition:
    if kept.merchant_id is None:
        return is_so(READY, value=False, reason="Released", message="core never had a merchant of it")
    if wished.deletion_policy is DeletionPolicy.CLOSE:
        return is_so(READY, value=False, reason="Closed", message=f"merchant {kept.merchant_id} is closed for good")
    return is_so(READY, value=False, reason="Released", message=f"merchant {kept.merchant_id} stays in core as it is")


def _issued(kept: KeptMerchant) -> Condition:
    if kept.has_credentials:
        return is_so(CREDENTIALS_ISSUED, value=True, reason="Issued")
    message = "nobody signs in with them: core has no password, or the account is not active"
    return is_so(CREDENTIALS_ISSUED, value=False, reason="NotIssued", message=message)


def _approved(wished: MerchantObject, kept: KeptMerchant) -> Condition:
    if kept.state in IN_FORCE:
        return is_so(APPROVED, value=True, reason="Approved")
    if kept.state in {"refused", "closed"}:
        return is_so(APPROVED, value=False, reason=kept.state.capitalize(), message=kept.state_reason)
    if kept.approval_request:
        return is_so(APPROVED, value=False, reason="WaitsForStaff", message=_waiting(kept))
    if _refused(kept):
        return is_so(APPROVED, value=False, reason="Refused", message=_told(_refused(kept)))
    asked = "core has not approved it" if wished.approved else "spec.approved is false"
    return is_so(APPROVED, value=False, reason="NotApproved", message=asked)


def _limit(wished: MerchantObject, kept: KeptMerchant) -> Condition:
    if kept.credit_limit is None:
        return is_so(LIMIT_IN_SYNC, value=False, reason="NoLimit", message="there is no limit before approval")
    if _same(kept.credit_limit, wished.credit_limit):
        return is_so(LIMIT_IN_SYNC, value=True, reason="InSync")
    message = f"the limit is {kept.credit_limit}, the object wishes {wished.credit_limit}"
    reason = "WaitsForStaff" if kept.approval_request else "Differs"
    return is_so(LIMIT_IN_SYNC, value=False, reason=reason, message=message)


def _drifted(kept: KeptMerchant) -> Condition:
    left = [each for each in kept.drift if not each.corrected]
    if left:
        reason = "SuspendedByStaff" if left[0].field == "suspended" and left[0].expected == "False" else "Differs"
        return is_so(DRIFTED, value=True, reason=reason, message="; ".join(map(_told, left)))
    if kept.drift:
        return is_so(DRIFTED, value=False, reason="Corrected", message="; ".join(map(_told, kept.drift)))
    return is_so(DRIFTED, value=False, reason="InSync")


def _pending(kept: KeptMerchant) -> Condition:
    if kept.approval_request is None:
        return is_so(PENDING_APPROVAL, value=False, reason="NothingWaits")
    return is_so(PENDING_APPROVAL, value=True, reason="WaitsForStaff", message=_waiting(kept))


def _ready(kept: KeptMerchant, found: list[Condition]) -> Condition:
    needed = (REGISTERED, APPROVED, CREDENTIALS_ISSUED, LIMIT_IN_SYNC)
    missing = next((each for each in found if each.type in needed and each.status != "True"), None)
    if kept.state == "suspended":
        return is_so(READY, value=False, reason="Suspended", message=kept.state_reason)
    if missing:
        return is_so(READY, value=False, reason=missing.reason, message=missing.message)
    return is_so(READY, value=True, reason="Ready", message="the merchant may withdraw")


def refused(error: CoreRefused) -> list[Condition]:
    """What a definite no of core says of an object."""
    reason = reason_of(error)
    ready = is_so(READY, value=False, reason=reason, message=str(error))
    # about the operator, or about a merchant who is registered
    if reason in {"TokenRefused", "MerchantClosed", "Refused"}:
        return [ready]
    return [is_so(REGISTERED, value=False, reason=reason, message=str(error)), ready]


def _refused(kept: KeptMerchant) -> Drift | None:
    return next((each for each in kept.drift if each.field == "credit_limit" and not each.corrected), None)


def _told(drift: Drift | None) -> str:
    return f"{drift.field}: {drift.detail} (expected {drift.expected}, found {drift.actual})" if drift else ""


def _waiting(kept: KeptMerchant) -> str:
    asked = kept.approval_request
    return f"the limit {asked.credit_limit} waits for staff (approval {asked.approval_id})" if asked else ""


def _same(one: str, other: str) -> bool:
    """Whether two decimal strings are one amount."""
    return _cents(one) == _cents(other)


def _cents(amount: str) -> int:
    whole, _, places = amount.partition(".")
    return int(whole) * 100 + int(places.ljust(2, "0"))
