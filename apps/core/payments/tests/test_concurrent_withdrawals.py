"""Many withdrawals at once: limits and pool hold to the cent. Runs under pytest and `manage.py test`."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

from django.db import connection, transaction
from django.test import TransactionTestCase

from payments.books.checks import find_differences
from payments.merchants.services import merchant_approve
from payments.models import IdempotencyKey, Withdrawal
from payments.request_log.writer import writer
from payments.tests.factories import balances, fund_pool, make_actor, make_merchant, merchant_client, withdraw
from payments.withdrawals.pipeline import pipeline

# answered as soon as the funds are reserved: what is tested here is the reservation
ASYNC = {"Prefer": "respond-async"}
THREADS = 64


def all_at_once(acts: Sequence[Callable[[], Any]], threads: int = THREADS) -> list[Any]:
    """The results of the acts, run by threads that start together."""
    barrier = Barrier(min(threads, len(acts)))

    def first_wait() -> None:
        barrier.wait(timeout=30)

    def run(act: Callable[[], Any]) -> Any:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(barrier.parties, initializer=first_wait) as pool:
        return list(pool.map(run, acts))


class ConcurrentWithdrawals(TransactionTestCase):
    def tearDown(self) -> None:
        assert writer().flush()
        super().tearDown()

    @classmethod
    def tearDownClass(cls) -> None:
        # manage.py test drops the database next, which no connection may use then
        pipeline.close()
        writer.close()
        super().tearDownClass()

    def test_200_withdrawals_at_the_limit_accept_exactly_as_many_as_fit(self) -> None:
        fund_pool("1000000.00")
        merchant = make_merchant(limit="100.00")
        client = merchant_client(merchant)
        answers = all_at_once([lambda: withdraw(client, "0.70", **ASYNC)] * 200)
        assert Counter(answer.status_code for answer in answers) == {202: 142, 409: 58}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"insufficient_credit"}
        assert balances(merchant).utilized == Decimal("99.40")
        assert find_differences() == []

    def test_64_threads_over_50_merchants_share_a_pool_that_is_too_small(self) -> None:
        fund_pool("123.45")
        merchants = [make_merchant(limit="10.00") for _ in range(50)]
        clients = [merchant_client(merchant) for merchant in merchants]
        acts = [lambda client=client: withdraw(client, "1.10", **ASYNC) for client in clients * 6]
        answers = all_at_once(acts)
        assert Counter(answer.status_code for answer in answers) == {202: 112, 409: 188}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"insufficient_pool"}
        assert balances(merchants[0]).pool == Decimal("0.25")
        assert sum(balances(merchant).utilized for merchant in merchants) == Decimal("123.20")
        assert find_differences() == []

    def test_one_key_for_two_amounts_at_once_is_one_withdrawal_and_never_an_error(self) -> None:
        fund_pool("1000.00")
        client = merchant_client(make_merchant(limit="1000.00"))
        for number in range(10):
            key = f"contested-{number}"
            amounts = ["1.00", "2.00"] * 10
            acts = [lambda amount=amount, key=key: withdraw(client, amount, key=key, **ASYNC) for amount in amounts]
            answers = all_at_once(acts, threads=20)
            codes = {answer.json()["code"] for answer in answers if answer.status_code != 202}
            assert codes <= {"request_in_progress", "idempotency_key_reused"}
            assert len({answer.json()["id"] for answer in answers if answer.status_code == 202}) == 1
        assert Withdrawal.objects.count() == 10
        assert find_differences() == []

    def test_withdrawals_while_the_merchant_is_approved_are_refused_or_whole(self) -> None:
        fund_pool("1000.00")
        for _ in range(15):
            merchant = make_merchant(limit="1.00", approved=False)
            client = merchant_client(merchant)

            def approve(pk: int = merchant.pk) -> None:
                with transaction.atomic():
                    merchant_approve(merchant_id=pk, credit_limit=Decimal("1.00"), by=make_actor())

            acts = [lambda client=client: withdraw(client, "0.60", **ASYNC).status_code] * 6
            statuses = all_at_once([*acts[:3], approve, *acts[3:]], threads=7)
            assert set(statuses) <= {None, 202, 409}
            assert statuses.count(202) <= 1
        assert find_differences() == []

    def test_the_same_key_50_times_at_once_makes_one_withdrawal(self) -> None:
        fund_pool("1000.00")
        merchant = make_merchant(limit="100.00")
        client = merchant_client(merchant)
        answers = all_at_once([lambda: withdraw(client, "2.00", key="one-key", **ASYNC)] * 50, threads=50)
        first = [a for a in answers if a.status_code == 202 and "Idempotency-Replayed" not in a.headers]
        repeats = [a for a in answers if a.headers.get("Idempotency-Replayed") == "true"]
        running = [a for a in answers if a.status_code == 409]
        assert len(first) == 1
        assert len(first) + len(repeats) + len(running) == 50
        assert {answer.json()["id"] for answer in repeats} <= {first[0].json()["id"]}
        assert {answer.json()["code"] for answer in running} <= {"request_in_progress"}
        assert all("Retry-After" in answer.headers for answer in running)
        assert (Withdrawal.objects.count(), IdempotencyKey.objects.count()) == (1, 1)
        assert balances(merchant).utilized == Decimal("2.00")
        assert find_differences() == []
