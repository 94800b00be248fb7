"""Of whom a second factor is asked (docs/adr/0029)."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django_otp.plugins.otp_totp.models import TOTPDevice

from core.environment import ENVIRONMENT, StaffTotp


def is_demanded_of(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether the account needs a code: staff's where STAFF_TOTP is required, or optional and they have enrolled."""
    if not isinstance(user, User) or not (user.is_staff or user.is_superuser):
        return False
    match ENVIRONMENT.staff_totp:
        case StaffTotp.OFF:
            return False
        case StaffTotp.REQUIRED:
            return True
        case StaffTotp.OPTIONAL:
            return bool(TOTPDevice.objects.filter(user=user).exists())
