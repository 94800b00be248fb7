"""Accounts of staff. Triggers on auth_user keep the audit of them, so that no other way past it is shorter."""

import secrets
from collections.abc import Collection

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import transaction

from etebar_common.problems import NotFound, UsernameTaken, ValidationFailed
from payments.staff.groups import DEFAULT
from payments.tokens.revocation import tokens_spend

PASSWORD_BYTES = 18


@transaction.atomic
def staff_add(*, username: str, groups: Collection[str] = DEFAULT) -> str:
    """A member of staff, no superuser, and the password to begin with.

    Raises UsernameTaken, ValidationFailed, and NotFound for a group that is not there.
    """
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
    user.groups.set(_groups(groups))
    return password


@transaction.atomic
def staff_regroup(*, username: str, groups: Collection[str]) -> None:
    """The account is in these groups and no other; raises NotFound."""
    user = User.objects.select_for_update(no_key=True).filter(username=username, is_staff=True).first()
    if user is None:
        raise NotFound(f"there is no member of staff {username}")
    user.groups.set(_groups(groups))


def _groups(names: Collection[str]) -> list[Group]:
    found = list(Group.objects.filter(name__in=names))
    if missing := sorted(set(names) - {group.name for group in found}):
        raise NotFound(f"there is no group {', '.join(missing)}: is the database migrated?")
    return found


@transaction.atomic
def staff_stop(*, username: str) -> None:
    """The account of staff signs in no more, and its refresh tokens are spent; raises NotFound."""
    user = User.objects.select_for_update(no_key=True).filter(username=username, is_staff=True).first()
    if user is None:
        raise NotFound(f"there is no member of staff {username}")
    user.is_active = False
    user.save(update_fields=["is_active"])
    tokens_spend(user)
