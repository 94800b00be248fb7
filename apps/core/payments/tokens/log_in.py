"""Logging in: the one way to it, by the API and by the admin's form (docs/adr/0027)."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import make_password, verify_password
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from core.client_address import client_address
from etebar_common.problems import CredentialsInvalid, LogInsBusy, OtpInvalid, OtpNeeded, Problem, RateLimited
from payments.audit.services import Actor, record
from payments.models import ManagedMerchant
from payments.staff.second_factor import is_demanded_of
from payments.staff.totp import code_check
from payments.tokens.throttle import Attempt

API, ADMIN = "api", "admin"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody shows, and the door where they show it: API or ADMIN. `otp` is empty without a code."""

    username: str
    password: str = field(repr=False)
    door: str
    otp: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Entered:
    """Who was let in, and whether by a code as well."""

    user: User
    by_totp: bool


def log_in(request: HttpRequest, shown: Credentials) -> Entered:
    """Whose credentials they are.

    Raises CredentialsInvalid, RateLimited and LogInsBusy; OtpNeeded and OtpInvalid when the password is right. What
    staff do here is in the audit, success or not.
    """
    attempt = Attempt(shown.username, client_address(request))
    attempt.begin()
    try:
        found = User.objects.filter(username=shown.username).first()
        is_let_in = _is_password_of(found, shown.password)
    except LogInsBusy:
        # nobody has learnt anything
        attempt.take_back()
        raise
    if found is None or not is_let_in:
        _record(found, "log_in_failed", shown.door, attempt, reason="password")
        raise CredentialsInvalid
    by_totp = is_demanded_of(found)
    if by_totp:
        _second_factor(found, shown, attempt)
    attempt.succeed()
    _record(found, "log_in", shown.door, attempt, totp=by_totp)
    return Entered(found, by_totp)


def _second_factor(user: User, shown: Credentials, attempt: Attempt) -> None:
    try:
        code_check(user, shown.otp)
    except OtpNeeded:
        # the first of two steps is no failure, and not yet a log-in
        attempt.take_back()
        _record(user, "log_in_failed", shown.door, attempt, reason="otp_missing")
        raise
    except (OtpInvalid, RateLimited) as problem:
        _record(user, "log_in_failed", shown.door, attempt, reason=_reason(problem))
        raise


def _reason(problem: Problem) -> str:
    return "otp" if isinstance(problem, OtpInvalid) else "otp_too_often"


def _is_password_of(user: User | None, password: str) -> bool:
    """Whether the account may log in by this password; a hash of an older kind is replaced then.

    It costs one hash, also of nobody's account and of those that are inactive or have no password, so that the time of
    an answer tells nothing of them.
    """
    if user is None:
        make_password(password)
        return False
    is_right, is_outdated = verify_password(password, user.password)
    if not is_right or not user.is_active:
        return False
    if is_outdated:
        _hash_anew(user, password)
    return True


def _hash_anew(user: User, password: str) -> None:
    before = user.password
    try:
        user.password = make_password(password)
    except LogInsBusy:
        return  # the next log-in does it
    with transaction.atomic():
        # a password that was set since then stays: this one may have been rotated away meanwhile
        if User.objects.filter(pk=user.pk, password=before).update(password=user.password):
            ManagedMerchant.objects.filter(merchant__user=user, password_hash=before).update(
                password_hash=user.password
            )


def _record(user: User | None, action: str, door: str, attempt: Attempt, **detail: Any) -> None:
    """Staff's alone: a merchant's log-ins are in the request log."""
    if user is not None and (user.is_staff or user.is_superuser):
        actor = Actor(user.pk, f"staff:{user.get_username()}")
        record(actor, action, door=door, address=attempt.address, **detail)
