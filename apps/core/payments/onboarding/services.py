"""Brings core's merchant to what its Kubernetes object wishes: one idempotent call for whatever the difference is."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import transaction
from django.forms import model_to_dict
from django.utils import timezone

from etebar_common.problems import MerchantClosed, ValidationFailed, VersionStale
from payments.approvals.services import (
    limit_set,
    needs_second_person,
    open_request,
    own_request_withdraw,
    request_withdraw,
)
from payments.audit.services import Actor, operator_actor, record
from payments.locks import lock_managed, lock_merchant
from payments.merchants.services import (
    credit_limit_change,
    merchant_approve,
    merchant_close,
    merchant_register,
    merchant_reinstate,
    merchant_suspend,
)
from payments.models import ApprovalRequest, ManagedMerchant, Merchant, MerchantCredit
from payments.onboarding.credentials import password_digest, password_set
from payments.onboarding.desired import Deletion, DesiredMerchant, DriftPolicy
from payments.onboarding.selectors import pending_of

State = Merchant.State


@dataclass(slots=True)
class Outcome:
    """What core found and did; `link` is None for an object that was never registered."""

    link: ManagedMerchant | None = None
    drift: list[dict[str, Any]] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)
    released: bool = False

    def has_drift(self, name: str) -> bool:
        """Whether a difference of this field is noted."""
        return any(each["field"] == name for each in self.drift)

    def add_drift(self, name: str, expected: object, actual: object, detail: str, *, corrected: bool = False) -> None:
        """Notes a difference that is not the object's doing."""
        self.drift.append(
            {"field": name, "expected": str(expected), "actual": str(actual), "corrected": corrected, "detail": detail}
        )


@transaction.atomic(durable=True)
def merchant_put(desired: DesiredMerchant) -> Outcome:
    """Registers, approves, suspends, reinstates, sets limit and password, or lets go: whatever is missing.

    Raises UsernameTaken, VersionStale, CredentialsStale, MerchantClosed and ValidationFailed; then nothing is changed.
    """
    by = operator_actor(desired.namespace, desired.name)
    link = lock_managed(desired.namespace, desired.name, desired.username)
    if link is None:
        if desired.deletion is not None:
            return Outcome(released=True)
        link = _register(desired, by)
    before = model_to_dict(link)
    is_new = _take_version(link, desired)
    link.merchant = lock_merchant(link.merchant_id)
    outcome = Outcome(link)
    if desired.deletion is None:
        _keep(desired, link, outcome, by, is_new=is_new)
    else:
        _let_go(desired.deletion, link, outcome, by)
    if model_to_dict(link) != before:  # most calls find nothing to do
        link.save()
    return outcome


def _register(desired: DesiredMerchant, by: Actor) -> ManagedMerchant:
    account, password = desired.bank_account, desired.password
    missing = [name for name, value in (("bank_account", account), ("password", password)) if value is None]
    if account is None or password is None:
        errors = [{"field": name, "detail": "is needed to register"} for name in missing]
        raise ValidationFailed(f"not right: {', '.join(missing)}", extensions={"errors": errors})
    _refuse_weak(password)
    merchant = merchant_register(
        username=desired.username,
        password=password,
        requested_credit=desired.requested_credit,
        bank_account=account,
    )
    record(by, "merchant_registered", merchant_id=merchant.pk, username=desired.username)
    return ManagedMerchant.objects.create(
        namespace=desired.namespace,
        name=desired.name,
        username=desired.username,
        merchant=merchant,
        uid=desired.uid,
        object_created_at=desired.created_at,
        generation=desired.generation,
        password_digest=password_digest(password),
        password_hash=merchant.user.password,
        credentials_version=desired.credentials_version,
    )


def _refuse_weak(password: str) -> None:
    try:
        validate_password(password)
    except DjangoValidationError as error:
        errors = [{"field": "password", "detail": " ".join(error.messages)}]
        raise ValidationFailed("not right: password", extensions={"errors": errors}) from error


def _take_version(link: ManagedMerchant, desired: DesiredMerchant) -> bool:
    """Whether core sees this version for the first time; raises VersionStale for one that was overtaken."""
    seen, is_again = (link.object_created_at, link.generation), _is_made_again(link, desired)
    if desired.version < seen and not is_again:
        raise VersionStale(f"generation {desired.generation} of {link} was overtaken by {link.generation}")
    if desired.uid != link.uid:
        # that one was let go; this one is not yet
        link.released_at = None
    link.uid, link.object_created_at, link.generation = desired.uid, desired.created_at, desired.generation
    return is_again or desired.version > seen


def _is_made_again(link: ManagedMerchant, desired: DesiredMerchant) -> bool:
    """Whether it is another object of the same second as the one before it, which was let go.

    Raises VersionStale while that one is there, and for a late wish of that one. Creation times have whole seconds, and
    a deletion raises the generation: neither orders the two.
    """
    if desired.uid == link.uid or desired.created_at != link.object_created_at:
        return False
    if link.released_at is None:
        raise VersionStale(f"{link} is the object {link.uid} now, and that was not let go")
    return True


def _keep(desired: DesiredMerchant, link: ManagedMerchant, outcome: Outcome, by: Actor, *, is_new: bool) -> None:
    if link.merchant.state == State.CLOSED:
        raise MerchantClosed(f"the merchant {desired.username} was closed; register another username")
    link.released_at = None
    if desired.password is not None:
        password_set(link, desired.password, desired.credentials_version, by)
    _compare_account(desired, link.merchant, outcome)
    if link.merchant.state == State.PENDING:
        Merchant.objects.filter(pk=link.merchant_id).update(requested_credit=desired.requested_credit)
        if desired.approved:
            _set_limit(desired, link, outcome, by, is_new=is_new)
        else:
            own_request_withdraw(link.merchant, by)
    _keep_suspension(desired, link, outcome, by)
    if link.merchant.state in {State.APPROVED, State.SUSPENDED}:
        _keep_limit(desired, link, outcome, by, is_new=is_new)


def _compare_account(desired: DesiredMerchant, merchant: Merchant, outcome: Outcome) -> None:
    if desired.bank_account is not None and desired.bank_account != merchant.account_number:
        detail = "the account that withdrawals are paid to is fixed when a merchant registers"
        outcome.add_drift("bank_account", "another account", "the one it registered with", detail)


def _keep_suspension(desired: DesiredMerchant, link: ManagedMerchant, outcome: Outcome, by: Actor) -> None:
    merchant = link.merchant
    if merchant.state == State.APPROVED and desired.suspended:
        _suspend_as_wished(desired, link, outcome, by)
    elif merchant.state == State.APPROVED:
        # staff took the last one back; the next is a new wish
        link.suspended_at = None
    elif merchant.state == State.SUSPENDED and not desired.suspended:
        if merchant.state_changed_at == link.suspended_at:
            link.merchant, link.suspended_at = merchant_reinstate(merchant_id=merchant.pk, by=by), None
        else:
            outcome.add_drift("suspended", expected=False, actual=True, detail="suspended by staff, who reinstate it")


def _suspend_as_wished(desired: DesiredMerchant, link: ManagedMerchant, outcome: Outcome, by: Actor) -> None:
    """The object's suspension; one that staff took back is drift, which the policy puts right or leaves."""
    was_reinstated = link.suspended_at is not None
    corrected = not was_reinstated or desired.drift_policy is DriftPolicy.CORRECT
    if was_reinstated:
        detail = "reinstated behind the object's back"
        outcome.add_drift("suspended", expected=True, actual=False, detail=detail, corrected=corrected)
    if corrected:
        _suspend(link, f"suspended by {by.name}", by)


def _suspend(link: ManagedMerchant, reason: str, by: Actor) -> None:
    link.merchant = merchant_suspend(merchant_id=link.merchant_id, reason=reason[:500], by=by)
    link.suspended_at = link.merchant.state_changed_at


def _keep_limit(desired: DesiredMerchant, link: ManagedMerchant, outcome: Outcome, by: Actor, *, is_new: bool) -> None:
    actual, wished = _limit_of(link.merchant), desired.credit_limit
    if actual == wished:
        link.credit_limit = wished
        own_request_withdraw(link.merchant, by)
        return
    is_wish = link.credit_limit != wished
    if is_wish or desired.drift_policy is DriftPolicy.CORRECT:
        is_set = _set_limit(desired, link, outcome, by, is_new=is_new)
    else:
        is_set = False
    if not is_wish and not outcome.has_drift("credit_limit"):
        outcome.add_drift("credit_limit", wished, actual, "changed behind the object's back", corrected=is_set)


def _set_limit(desired: DesiredMerchant, link: ManagedMerchant, outcome: Outcome, by: Actor, *, is_new: bool) -> bool:
    """Sets the limit or asks for it; whether it is in force.

    Only a version that core sees for the first time asks for what staff refused, or in the place of what they ask for.
    """
    wished, merchant = desired.credit_limit, link.merchant
    if not is_new and needs_second_person(merchant, wished) and _others_ask(merchant, by):
        return False
    refused = None if is_new else _refused(merchant, wished, by)
    if refused is not None:
        detail = f"staff refused this limit: {refused.reason or 'no reason given'}"
        outcome.add_drift("credit_limit", wished, _limit_of(merchant) or "none", detail)
        return False
    service = merchant_approve if merchant.state == State.PENDING else credit_limit_change
    if limit_set(service, merchant_id=merchant.pk, credit_limit=wished, by=by) is not None:
        return False
    link.merchant, link.credit_limit = lock_merchant(merchant.pk), wished
    return True


def _others_ask(merchant: Merchant, by: Actor) -> bool:
    """Whether a limit is asked for by somebody else than this object."""
    asked = open_request(merchant)
    return asked is not None and asked.requested_for != by.name


def _refused(merchant: Merchant, wished: Decimal, by: Actor) -> ApprovalRequest | None:
    """The last request of this object, when it was for this limit and staff refused it."""
    asked = ApprovalRequest.objects.filter(merchant=merchant, requested_for=by.name).order_by("created_at").last()
    was_refused = asked is not None and asked.state == ApprovalRequest.State.REFUSED and asked.credit_limit == wished
    return asked if was_refused else None


def _limit_of(merchant: Merchant) -> Decimal | None:
    return MerchantCredit.objects.filter(merchant=merchant).values_list("credit_limit", flat=True).first()


def _let_go(deletion: Deletion, link: ManagedMerchant, outcome: Outcome, by: Actor) -> None:
    if deletion is Deletion.CLOSE and link.merchant.state != State.CLOSED:
        if link.merchant.state == State.APPROVED:
            _suspend(link, f"closed by {by.name}", by)
        # nothing is raised that is about to end, whoever asked for it
        request_withdraw(link.merchant, by)
        outcome.waits_for = _unfinished(link.merchant)
        if outcome.waits_for:
            return
        link.merchant = merchant_close(merchant_id=link.merchant_id, by=by)
    if link.released_at is None:
        own_request_withdraw(link.merchant, by)
        record(by, "merchant_released", merchant_id=link.merchant_id, policy=deletion.value)
    link.released_at, outcome.released = link.released_at or timezone.now(), True


def _unfinished(merchant: Merchant) -> list[str]:
    """What keeps the books open."""
    count, amount = pending_of(merchant)
    credit = MerchantCredit.objects.filter(merchant=merchant).first()
    owed = credit.utilized_amount - amount if credit else Decimal(0)
    waits = [f"{count} withdrawals are pending ({amount})"] if count else []
    return [*waits, f"{owed} of credit is used and not repaid"] if owed else waits
