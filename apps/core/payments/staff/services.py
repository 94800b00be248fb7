"""Accounts of staff. Triggers on auth_user keep the audit of them, so that no other way past it is shorter."""

import secrets

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from etebar_common.problems import NotFound, UsernameTaken, ValidationFailed
from payments.tokens.services import tokens_spend

PASSWORD_BYTES = 18


@transaction.atomic
def staff_add(*, username: str) -> str:
    """A member of staff, no superuser, and the password to begin with; raises UsernameTaken and ValidationFailed."""
    user = User(username=username, is_staff=True)
    try:
        user.full_clean(exclude=["password"], validate_unique=False)
    except ValidationError as error:
        raise ValidationFailed(" ".join(error.messages)) from error
    if User.objects.filter(username=username).exists():
        raise UsernameTaken(f"the username {username} is taken")
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user.set_password(password)
    user.save()
    return password


@transaction.atomic
def staff_stop(*, username: str) -> None:
    """The account of staff signs in no more, and its refresh tokens are spent; raises NotFound."""
    user = User.objects.select_for_update().filter(username=username, is_staff=True).first()
    if user is None:
        raise NotFound(f"there is no member of staff {username}")
    user.is_active = False
    user.save(update_fields=["is_active"])
    tokens_spend(user)
