"""The second factor of staff: codes by time (RFC 6238), each good once (docs/adr/0029)."""

import math

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from etebar_common.problems import NotFound, OtpInvalid, OtpNeeded, RateLimited
from payments.locks import lock_totp_device
from payments.tokens.revocation import tokens_spend

ENROL = "enrol by `manage.py staff totp NAME`"


def code_check(user: User, code: str) -> None:
    """Uses up a code; raises OtpNeeded without one, OtpInvalid and, after failures, RateLimited.

    The waits double with each failure. Only who knows the password comes here, so nobody else can make them long.
    """
    if not code:
        raise OtpNeeded
    # outside of what is rolled back: a failure stays counted
    with transaction.atomic():
        # of two requests with one code the second finds it used
        device = lock_totp_device(user.pk)
        is_good = device is not None and _is_good(device, code)
    if device is None:
        raise OtpNeeded(f"this account has no second factor yet; {ENROL}")
    if not is_good:
        raise OtpInvalid


def _is_good(device: TOTPDevice, code: str) -> bool:
    allowed, refusal = device.verify_is_allowed()
    if not allowed:
        wait_seconds = max(1, math.ceil((refusal["locked_until"] - timezone.now()).total_seconds()))
        raise RateLimited("too many wrong codes", headers={"Retry-After": str(wait_seconds)})
    return bool(device.verify_token(code.replace(" ", "")))


@transaction.atomic
def totp_enrol(*, username: str) -> str:
    """A new secret, as an otpauth URL that is shown once; the one before, and refresh tokens, are void. NotFound."""
    user = User.objects.select_for_update(no_key=True).filter(username=username, is_active=True).first()
    if user is None or not (user.is_staff or user.is_superuser):
        raise NotFound(f"there is no member of staff {username}")
    TOTPDevice.objects.filter(user=user).delete()
    device = TOTPDevice.objects.create(user=user, name="totp")
    tokens_spend(user)
    return str(device.config_url)
