"""The staff console as a person uses it."""

import re
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from payments.console.charts import Chart
from payments.models import POOL_ID, CreditPool, Merchant, Withdrawal
from payments.tests.factories import fund_pool, merchant_client, withdraw

SOME_ID = "01a2093c-92e9-72da-83ca-1b4493c714a2"


def console_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(model: str, row: Any, act: str = "change") -> str:
    return reverse(f"admin:payments_{model}_{act}", args=[getattr(row, "pk", row)])


def do(client: Client, model: str, row: Any, act: str, **fields: str) -> Any:
    """Opens the act's form, as a person does, and sends it."""
    url = page(model, row, act)
    form = client.get(url)
    if form.status_code != 200:
        return form
    return client.post(url, {**fields, "key": key_of(form)})


def key_of(form: Any) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', form.content.decode())
    assert found is not None
    return found[1]


def make_pool() -> CreditPool:
    fund_pool()
    return CreditPool.objects.get(pk=POOL_ID)


def unknown_withdrawal(merchant: Merchant) -> Withdrawal:
    """One of the merchant's whose outcome nobody knows."""
    fund_pool()
    made = withdraw(merchant_client(merchant), Prefer="respond-async").json()["id"]
    Withdrawal.objects.filter(pk=made).update(overdue_since="2026-01-01T00:00:00Z")
    return Withdrawal.objects.get(pk=made)


def first_page(user: User) -> str:
    return console_of(user).get("/admin/").content.decode()


def drawn(chart: Chart | None) -> dict[str, list[str]]:
    assert chart is not None
    return {each.of: each.values for each in chart.series}
