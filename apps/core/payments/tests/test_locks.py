"""Locks are taken in one order everywhere, so nothing that runs at once can deadlock."""

import random
import re
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.environment import ENVIRONMENT
from payments import migrations
from payments.books import checks
from payments.books.services import verify_books
from payments.dispatch import services
from payments.dispatch.services import dispatch_due, flag_overdue
from payments.locks import lock_merchant, lock_pool
from payments.models import Withdrawal
from payments.tests.factories import fund_pool, make_merchant, merchant_client, staff_client, withdraw
from payments.tests.test_concurrent_withdrawals import all_at_once
from payments.tests.test_reserve_list import request
from payments.withdrawals.reserve import reserve

pytestmark = pytest.mark.usefixtures("books")

ORDER = ["payments_withdrawal", "payments_merchantcredit", "payments_merchant", "payments_creditpool"]


def in_order(tables: list[str]) -> bool:
    places = [ORDER.index(table) for table in tables]
    return places == sorted(places)


class TestTheOrder:
    def test_in_python_is_credit_merchant_pool(self) -> None:
        merchant = make_merchant()
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            lock_merchant(merchant.pk)
            lock_pool()
        locking = [query["sql"] for query in queries.captured_queries if "FOR UPDATE" in query["sql"]]
        tables = [re.search(r'FROM "(\w+)"', sql)[1] for sql in locking]  # type: ignore[index]
        assert tables == ["payments_merchantcredit", "payments_merchant", "payments_creditpool"]

    @pytest.mark.parametrize(
        "name", ["payments_reserve", "payments_write_accepted", "payments_confirm", "payments_release"]
    )
    def test_in_the_money_functions_is_withdrawals_credit_pool(self, name: str) -> None:
        directory = Path(migrations.__file__).parent / "sql"
        text = (directory / "0003_money.sql").read_text() + (directory / "0006_money_lists.sql").read_text()
        body = text.split(f"CREATE FUNCTION {name}(")[-1].split("\n$$;")[0]
        locking = re.findall(r"UPDATE (payments_\w+)|(?:FROM|JOIN) (payments_\w+) AS \w+\s[^;]*?FOR UPDATE", body)
        tables = [updated or locked for updated, locked in locking if (updated or locked) in ORDER]
        assert tables
        # what is locked already may be changed at any time
        assert in_order(list(dict.fromkeys(tables)))


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_lists_with_contested_keys_on_a_short_pool_do_not_deadlock() -> None:
    fund_pool("40.00")
    merchants = [make_merchant(limit="1000.00") for _ in range(6)]
    before = deadlocks()

    def a_list(seed: int) -> int:
        order = random.Random(seed)  # noqa: S311 - to be repeatable
        asked = [
            request(merchant.pk, order.choice(["0.10", "1.00", "30.00"]), key=f"k{order.randrange(8)}")
            for merchant in order.sample(merchants, 4)
        ]
        return len(reserve(asked))

    assert set(all_at_once([lambda seed=seed: a_list(seed) for seed in range(200)], threads=8)) == {4}
    assert deadlocks() == before
    assert checks.find_differences() == []


def test_everything_at_once_does_not_deadlock(monkeypatch: pytest.MonkeyPatch) -> None:
    fund_pool("1000000.00")
    paid = [make_merchant(limit="1000.00") for _ in range(4)]
    refused = [make_merchant(limit="1000.00", account="IRTESTREFUSED0000001") for _ in range(4)]
    staff = staff_client()
    monkeypatch.setattr(services, "ENVIRONMENT", ENVIRONMENT.model_copy(update={"unknown_outcome_budget_seconds": 0}))
    before = deadlocks()

    @transaction.atomic
    def make_due() -> None:
        pending = Withdrawal.objects.filter(state="pending").select_for_update(skip_locked=True)
        Withdrawal.objects.filter(pk__in=[one.pk for one in pending]).update(next_attempt_at=timezone.now())

    def dispatch() -> int:
        make_due()
        dispatch_due()
        return 200

    def flag() -> int:
        flag_overdue()
        return 200

    def post(path: str, **body: object) -> int:
        return int(staff.post(f"/api/v1/admin/{path}", body, format="json").status_code)

    acts = []
    for merchant in (*paid, *refused):
        client = merchant_client(merchant)
        acts += [lambda client=client: withdraw(client).status_code] * 4
        acts += [lambda client=client: withdraw(client, Prefer="respond-async").status_code] * 4
        acts.append(lambda pk=merchant.pk: post("credit-limit", merchant_id=pk, credit_limit="900.00"))
    acts += [lambda: post("pool/topup", amount="1.00"), dispatch, flag] * 8
    statuses = set(all_at_once(acts, threads=16))
    dispatch()
    assert statuses <= {200, 201, 202, 409}
    assert deadlocks() == before
    assert verify_books().differences == []
