"""Seeding clears both books whole, also while withdrawals run, or says why it did not."""

import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from core.environment import ENVIRONMENT
from etebar_common.environment import Profile
from etebar_quickstart.process import ManagedProcess
from payments.account_statements.selectors import time_zone
from payments.books.services import verify_books
from payments.models import AuditEntry, CreditPool, Merchant, Withdrawal
from payments.sandbox import services
from payments.sandbox.services import Seed, seed_sandbox
from payments.tests.factories import fund_pool, make_merchant, merchant_client, withdraw

pytestmark = pytest.mark.usefixtures("books")

SMALL = Seed(merchants=20)


def test_what_was_there_is_gone_from_both_books() -> None:
    fund_pool()
    withdraw(merchant_client(make_merchant()))
    said: list[str] = []
    seed_sandbox(SMALL, said.append)
    assert said == [
        "Cleared: 1 merchants and their books in core, 1 payouts in settlement.",
        "Seed done: merchants=20, credit/merchant=1000.00, pool_available=5000000.00",
    ]
    assert (Merchant.objects.count(), Withdrawal.objects.count()) == (20, 0)
    assert CreditPool.objects.get().available_amount == Decimal("5000000.00")
    assert verify_books().differences == []


def test_a_seeded_merchants_statement_has_its_limit_as_that_of_an_approved_one() -> None:
    approved = make_merchant(limit="1000.00")
    [written] = AuditEntry.objects.filter(merchant_id=approved.pk, action="merchant_approved")
    seed_sandbox(SMALL, str)
    seeded = Merchant.objects.select_related("user").latest("pk")
    today = timezone.localdate(timezone=time_zone()).isoformat()
    answer = merchant_client(seeded).get("/api/v1/statements", {"period_from": today, "period_to": today}).json()
    assert (answer["opening"]["credit_limit"], answer["closing"]["credit_limit"]) == (None, "1000.00")
    assert [each["credit_limit"] for each in answer["limits"]] == ["1000.00"]
    entries = AuditEntry.objects.filter(action="merchant_approved")
    assert entries.count() == SMALL.merchants
    assert {(each.detail["credit_limit"], each.request_id) for each in entries} == {
        (written.detail["credit_limit"], written.request_id)
    }


def test_seeding_while_withdrawals_run_neither_deadlocks_nor_fails_them() -> None:
    fund_pool("100000.00")
    clients = [merchant_client(make_merchant(limit="10000.00")) for _ in range(4)]
    over, statuses = threading.Event(), set()

    def go_on(number: int) -> None:
        while not over.is_set():
            statuses.add(withdraw(clients[number], "0.01", Prefer="respond-async").status_code)
        connection.close()

    threads = [threading.Thread(target=go_on, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            seed_sandbox(SMALL, str)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    # a cleared merchant is none
    assert statuses <= {202, 409}
    assert verify_books().differences == []


def test_nothing_is_cleared_when_settlement_is_away(settlement: ManagedProcess) -> None:
    fund_pool()
    merchant = make_merchant()
    settlement.stop()
    try:
        with pytest.raises(SystemExit, match="Nothing was cleared: settlement at"):
            seed_sandbox(SMALL, str)
    finally:
        settlement.start()
        settlement.wait_ready()
    assert list(Merchant.objects.all()) == [merchant]


def test_production_is_never_seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    production = ENVIRONMENT.model_copy(update={"etebar_profile": Profile.PRODUCTION})
    monkeypatch.setattr(services, "ENVIRONMENT", production)
    with pytest.raises(SystemExit, match="sandbox or test only"):
        seed_sandbox(SMALL, str)
