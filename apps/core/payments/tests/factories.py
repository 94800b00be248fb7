"""Plain functions that make what a test needs."""

import itertools
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from rest_framework.test import APIClient

from payments.audit.services import Actor
from payments.merchants.services import merchant_approve, merchant_register
from payments.models import CreditPool, Merchant, MerchantCredit
from payments.pool.services import pool_top_up
from payments.staff.groups import DEFAULT, groups_write
from payments.tokens.authentication import access_token_for

_numbers = itertools.count(1)
TOKEN_LIFETIME = timedelta(minutes=5)


def unique_name(prefix: str = "m") -> str:
    return f"{prefix}{next(_numbers)}"


def make_staff(username: str | None = None, *groups: str) -> User:
    """In these groups; in those that `manage.py staff add` gives when none is named."""
    user = make_account(username)
    make_groups()
    user.groups.set(Group.objects.filter(name__in=groups or DEFAULT))
    return user


def make_groups() -> None:
    """Those of the migrations: the tables are cleared between tests."""
    if not Group.objects.exists():
        groups_write(Group, Permission)


def make_account(username: str | None = None) -> User:
    """Of staff, in no group."""
    return User.objects.create_user(username or unique_name("staff"), password="staff-password", is_staff=True)


def make_actor() -> Actor:
    user = make_account()
    return Actor(user.pk, f"staff:{user.get_username()}")


@transaction.atomic
def make_merchant(
    *, limit: str = "100.00", account: str = "IRTEST0000000000001", username: str | None = None, approved: bool = True
) -> Merchant:
    merchant = merchant_register(
        username=username or unique_name(),
        password="p",
        requested_credit=Decimal(limit),
        bank_account=account,
    )
    if not approved:
        return merchant
    return merchant_approve(merchant_id=merchant.pk, credit_limit=Decimal(limit), by=make_actor())


@transaction.atomic
def fund_pool(amount: str = "1000.00") -> None:
    pool_top_up(amount=Decimal(amount), by=make_actor())


def client_of(user: User, merchant_id: int | None = None) -> APIClient:
    client = APIClient()
    token = access_token_for(user, merchant_id, TOKEN_LIFETIME)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def merchant_client(merchant: Merchant) -> APIClient:
    return client_of(merchant.user, merchant.pk)


def staff_client() -> APIClient:
    return client_of(make_staff())


def withdraw(client: APIClient, amount: object = "1.00", key: str | None = None, **headers: str) -> Any:
    """POST /api/v1/withdrawals; `key` None sends a new one."""
    headers = {"Idempotency-Key": key or unique_name("key-")} | headers
    return client.post("/api/v1/withdrawals", {"amount": amount}, format="json", headers=headers)


@dataclass(frozen=True)
class Balances:
    utilized: Decimal
    pool: Decimal


def balances(merchant: Merchant) -> Balances:
    return Balances(
        MerchantCredit.objects.get(merchant=merchant).utilized_amount, CreditPool.objects.get().available_amount
    )
