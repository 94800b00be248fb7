"""manage.py ensure_admin: makes the first member of staff, ADMIN_USERNAME, unless there is an account of that name."""

from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.environment import ENVIRONMENT


class Command(BaseCommand):
    help = "Makes the superuser ADMIN_USERNAME with ADMIN_PASSWORD; an account that is there stays as it is."

    def handle(self, *_: Any, **__: Any) -> None:
        username, password = ENVIRONMENT.admin_username, ENVIRONMENT.admin_password
        if not username or password is None:
            raise CommandError("ADMIN_USERNAME and ADMIN_PASSWORD are needed")
        user = User(username=username, is_staff=True, is_superuser=True)
        if _exists(user):
            self.stdout.write(f"the account {username} is there already; nothing is changed")
            return
        _set_password(user, password.get_secret_value())
        with transaction.atomic(durable=True):
            user.save()
        self.stdout.write(self.style.SUCCESS(f"the account {username} is made"))


def _exists(user: User) -> bool:
    found = User.objects.filter(username=user.username).first()
    if found is not None and not found.is_superuser:
        raise CommandError(
            f"there is an account {user.username}, but it is no superuser: choose another ADMIN_USERNAME"
        )
    return found is not None


def _set_password(user: User, password: str) -> None:
    try:
        user.full_clean(exclude=["password"])
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(f"ADMIN_USERNAME or ADMIN_PASSWORD: {' '.join(error.messages)}") from error
    user.set_password(password)
