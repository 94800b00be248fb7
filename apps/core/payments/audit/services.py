"""Writes the audit."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from etebar_common import logs
from payments.models import AuditEntry
from payments.tokens.authentication import caller_of

# the account that stands for the operator; nobody can register a name with a colon
OPERATOR_USERNAME = "operator:onboarding"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decides: an account, 0 for none, and its name in the audit."""

    user_id: int
    name: str


def staff_actor(request: HttpRequest | Request) -> Actor:
    """The member of staff who sent the request."""
    caller = caller_of(request)
    return Actor(caller.pk, f"staff:{caller.username}")


def merchant_actor(request: HttpRequest | Request) -> Actor:
    """The merchant who sent the request."""
    caller = caller_of(request)
    return Actor(caller.pk, f"merchant:{caller.username}")


def operator_actor(namespace: str, name: str) -> Actor:
    """The operator, acting for an object."""
    nobody_signs_in = {"is_active": False, "password": make_password(None)}
    user, _ = User.objects.get_or_create(username=OPERATOR_USERNAME, defaults=nobody_signs_in)
    return Actor(user.pk, f"operator:{namespace}/{name}")


def record(by: Actor, action: str, *, merchant_id: int | None = None, **detail: Any) -> None:
    """Adds an entry, in the caller's transaction; amounts are written as text."""
    entry(by, action, merchant_id=merchant_id, **detail).save()


def entry(by: Actor, action: str, *, merchant_id: int | None = None, **detail: Any) -> AuditEntry:
    """The same, for who adds many at once."""
    return AuditEntry(
        actor=by.name,
        user_id=by.user_id,
        action=action,
        merchant_id=merchant_id,
        detail={name: str(value) for name, value in detail.items()},
        request_id=logs.request_id.get(),
        created_at=timezone.now(),
    )
