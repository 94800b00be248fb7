"""Withdrawals that share transactions are decided, paid and told as if each had come alone."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, OperationalError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import metrics
from core.environment import ENVIRONMENT
from core.request_context import RequestContext
from etebar_common.problems import DatabaseUnavailable
from payments.answers import Answer
from payments.books.checks import find_differences
from payments.idempotency.identity import RequestIdentity, digest_fields
from payments.models import ApiRequestLog, IdempotencyKey, Merchant, Withdrawal
from payments.tests.factories import balances, fund_pool, make_merchant, merchant_client, withdraw
from payments.tests.other_connection import connected
from payments.tests.test_reserve_list import everything, fresh_books
from payments.withdrawals import job as job_module
from payments.withdrawals import pipeline as pipeline_module
from payments.withdrawals.bulk import withdrawals_create
from payments.withdrawals.confirm import confirm
from payments.withdrawals.job import AtomicJobs, Job, WithdrawalCommand
from payments.withdrawals.outcomes import confirmation_of
from payments.withdrawals.pipeline import pipeline
from payments.withdrawals.reserve import Reservation, ReserveRequest, reserve
from payments.withdrawals.services import answer_of
from payments.withdrawals.settlement_client import Outcome, SettleResult

pytestmark = pytest.mark.usefixtures("books")

PATH = "/api/v1/withdrawals"


def command(merchant_id: int, amount: str = "1.00", key: str | None = None, **changes: Any) -> WithdrawalCommand:
    value = Decimal(amount)
    digests = digest_fields({"method": "POST", "path": PATH, "amount": value})
    identity = RequestIdentity(f"user:{merchant_id}", key or uuid4().hex, "POST", PATH, digests)
    context = RequestContext(uuid4(), "test", time.monotonic())
    return WithdrawalCommand(merchant_id, value, identity, context, **changes)


def statuses(answers: Sequence[Answer]) -> list[int]:
    return [answer.status for answer in answers]


@pytest.fixture
def deadline(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    def set_deadline(seconds: float) -> None:
        changed = ENVIRONMENT.model_copy(update={"settle_deadline_seconds": seconds})
        monkeypatch.setattr(job_module, "ENVIRONMENT", changed)

    return set_deadline


class TestMembersOfOneList:
    def test_each_has_its_own_outcome(self) -> None:
        fund_pool()
        rich, poor, waiting = make_merchant(), make_merchant(limit="0.50"), make_merchant(approved=False)
        refused_by_bank = make_merchant(account="IRTESTREFUSED0000001")
        merchants = [rich, poor, waiting, refused_by_bank, rich]
        answers = withdrawals_create([command(merchant.pk) for merchant in merchants])
        assert statuses(answers) == [201, 409, 409, 409, 201]
        codes = ["insufficient_credit", "merchant_not_active", "payout_failed"]
        assert all(code in answer.body for code, answer in zip(codes, answers[1:4], strict=True))
        assert find_differences() == []

    def test_a_pool_that_covers_only_some_serves_them_in_order_of_arrival(self) -> None:
        fund_pool("10.00")
        merchants = [make_merchant() for _ in range(4)]
        asked = [command(m.pk, a) for m, a in zip(merchants, ("6.00", "5.00", "3.00", "1.00"), strict=True)]
        assert statuses(withdrawals_create(asked)) == [201, 409, 201, 201]
        assert balances(merchants[0]).pool == 0

    def test_one_key_in_several_kinds_makes_one_withdrawal(self) -> None:
        fund_pool()
        merchant, other = make_merchant(), make_merchant()
        kinds = [
            command(merchant.pk, "1.00", "k"),
            command(merchant.pk, "1.00", "k"),
            command(merchant.pk, "2.00", "k"),
            command(merchant.pk, "1.00", "k", respond_async=True),
            command(other.pk, "1.00", "k"),
            command(merchant.pk, "1.00", "k"),
        ]
        answers = withdrawals_create(kinds)
        first, same, different, async_one, others, again = answers
        assert (first.status, others.status, different.status) == (201, 201, 422)
        assert {same.status, async_one.status, again.status} <= {201, 202}
        assert all(answer.replayed for answer in (same, async_one, again))
        assert Withdrawal.objects.filter(merchant=merchant).count() == 1
        assert Withdrawal.objects.filter(merchant=other).count() == 1
        assert find_differences() == []

    def test_one_that_the_database_does_not_take_does_not_spoil_the_others(self) -> None:
        fund_pool()
        merchant = make_merchant()
        answers = withdrawals_create([command(merchant.pk), command(merchant.pk, key="NUL \x00"), command(merchant.pk)])
        assert statuses(answers) == [201, 500, 201]
        assert find_differences() == []

    def test_a_slow_payout_holds_up_nobody(self) -> None:
        fund_pool()
        slow, quick = make_merchant(account="IRTESTSLOW0000000001"), make_merchant()
        jobs = [Job(command(slow.pk)), Job(command(quick.pk))]
        pipeline().put(jobs)
        assert awaited(jobs[1]).status == 201
        assert jobs[0]._result is None
        assert awaited(jobs[0]).status in {201, 202}

    def test_are_counted_and_measured(self) -> None:
        fund_pool()
        before = metrics.OUTCOMES.labels("reserve", "accepted")._value.get()
        assert statuses(withdrawals_create([command(make_merchant().pk) for _ in range(3)])) == [201] * 3
        assert metrics.OUTCOMES.labels("reserve", "accepted")._value.get() == before + 3


class TestWhenSomethingIsAway:
    def test_a_database_that_is_away_fails_all_with_503_and_books_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fund_pool()
        merchant = make_merchant()

        def fail(*_: object) -> None:
            raise OperationalError("the database is away")

        with monkeypatch.context() as patch:
            patch.setattr(pipeline_module, "reserve", fail)
            assert statuses(withdrawals_create([command(merchant.pk, key=key) for key in "ab"])) == [503, 503]
        assert not Withdrawal.objects.exists()
        assert statuses(withdrawals_create([command(merchant.pk, key=key) for key in "ab"])) == [201, 201]

    @pytest.mark.parametrize("error", [OperationalError("away"), DatabaseError("wrong"), ValueError("a defect")])
    def test_a_payout_that_cannot_be_confirmed_is_pending_and_the_dispatcher_ends_it(
        self, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        from payments.dispatch.services import dispatch_due

        def fail(*_: object) -> None:
            raise error

        fund_pool()
        merchant = make_merchant()
        with monkeypatch.context() as patch:
            patch.setattr("payments.withdrawals.confirm.confirm", fail)
            assert statuses(withdrawals_create([command(merchant.pk)])) == [202]
        Withdrawal.objects.update(next_attempt_at="2020-01-01T00:00:00Z")
        assert dispatch_due() == 1
        assert Withdrawal.objects.get().state == "settled"
        assert find_differences() == []

    def test_a_late_answer_in_the_log_does_not_spoil_the_list_that_comes_after_it(self) -> None:
        fund_pool()
        merchant = make_merchant()
        log = {"log_id": str(uuid4()), "request_id": "r", "user_id": 1, "remote_address": "127.0.0.1"}
        ApiRequestLog.objects.create(
            id=log["log_id"], request_id="r", method="POST", path=PATH, status=503, created_at="2026-01-01T00:00:00Z"
        )
        assert statuses(withdrawals_create([command(merchant.pk, log=log), command(merchant.pk)])) == [201, 201]
        assert ApiRequestLog.objects.get(pk=log["log_id"]).status == 503

    def test_a_credit_that_somebody_holds_is_503_by_the_deadline_and_books_nothing(
        self, deadline: Callable[[float], None]
    ) -> None:
        fund_pool()
        merchant = make_merchant()
        deadline(0.5)
        with connected() as other, other.cursor() as cursor:
            cursor.execute("SELECT FROM payments_merchantcredit FOR UPDATE")
            started = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                awaited(put(Job(command(merchant.pk, key="k"))))
            assert time.monotonic() - started < 2
        deadline(10)
        answer = awaited(put(Job(command(merchant.pk, key="k"))))
        assert answer.status in {201, 202}
        assert Withdrawal.objects.count() == 1

    def test_one_that_waits_past_its_deadline_is_not_reserved_afterwards(
        self, deadline: Callable[[float], None]
    ) -> None:
        fund_pool()
        merchant, other_merchant = make_merchant(), make_merchant()
        with connected() as other, other.cursor() as cursor:
            cursor.execute("SELECT FROM payments_creditpool FOR UPDATE")
            first = put(Job(command(merchant.pk, key="first")))
            time.sleep(0.2)
            deadline(0.1)
            second = put(Job(command(other_merchant.pk, key="second")))
            with pytest.raises(DatabaseUnavailable):
                awaited(second)
        awaited(first)
        assert not IdempotencyKey.objects.filter(key="second").exists()


def awaited(job: Job) -> Answer:
    job.wait()
    return answer_of(job)


def put(job: Job) -> Job:
    pipeline().put([job])
    return job


class TestManyCallers:
    def test_a_caller_that_is_gone_leaves_nothing_held(self) -> None:
        fund_pool()
        merchant = make_merchant(limit="1000.00")
        for _ in range(200):
            put(Job(command(merchant.pk)))
        started = time.monotonic()
        assert withdraw(merchant_client(merchant)).status_code == 201
        assert time.monotonic() - started < 3
        pipeline.close()
        assert Withdrawal.objects.count() == 201
        assert find_differences() == []
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
                " WHERE locktype = 'advisory' AND d.datname = current_database()"
            )
            assert cursor.fetchone() == (0,)

    def test_put_in_by_many_threads_each_gets_its_own_answer(self) -> None:
        fund_pool()
        merchants = [make_merchant(limit="100.00") for _ in range(8)]

        def work(index: int) -> None:
            for number in range(10):
                amount = f"{index + 1}.{number:02}"
                merchant_id = merchants[index % 8].pk
                answer = awaited(put(Job(command(merchant_id, amount))))
                assert (answer.status, f'"amount":"{amount}"' in answer.body) == (201, True)

        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(work, index) for index in range(8)]:
                done.result()
        assert find_differences() == []

    def test_the_first_result_of_a_job_stays(self) -> None:
        job = Job(command(1))
        job.finish(Answer(201, "first"))
        job.finish(Answer(202, "second"))
        job.fail(ValueError("late"))
        job.wait()
        result = job.result()
        assert isinstance(result, Answer)
        assert result.body == "first"

    def test_a_thousand_times_one_key_are_two_lists_and_hold_up_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fund_pool()
        merchant, other = make_merchant(), make_merchant()
        lists: list[int] = []
        decide = pipeline_module.reserve

        def counted(requests: Sequence[ReserveRequest]) -> list[Reservation]:
            lists.append(len(requests))
            return decide(requests)

        monkeypatch.setattr(pipeline_module, "reserve", counted)
        monkeypatch.setattr(pipeline_module, "LARGEST_LIST", 1000)
        jobs = [Job(command(merchant.pk, key="one")) for _ in range(200)] + [Job(command(other.pk))]
        pipeline().put(jobs)
        assert {awaited(job).status for job in jobs} <= {201, 202}
        assert lists == [201, 199]
        assert Withdrawal.objects.count() == 2

    def test_a_merchant_that_somebody_holds_holds_up_no_other(self) -> None:
        fund_pool()
        held, free = make_merchant(), make_merchant()
        with connected() as other, other.cursor() as cursor:
            cursor.execute("SELECT FROM payments_merchantcredit WHERE merchant_id = %s FOR UPDATE", [held.pk])
            waiting = put(Job(command(held.pk)))
            pipeline().put([Job(command(held.pk)), Job(command(free.pk))])
            group = AtomicJobs([command(free.pk), command(held.pk)])
            pipeline().put([group])
            assert statuses([awaited(put(Job(command(free.pk)))) for _ in range(5)]) == [201] * 5
            assert waiting._result is None
        assert awaited(waiting).status == 201
        assert group.wait() is True
        assert find_differences() == []

    def test_a_refused_payout_whose_merchant_somebody_holds_stays_pending_and_the_others_end(self) -> None:
        from payments.dispatch.services import dispatch_due

        fund_pool()
        refused, paid = make_merchant(account="IRTESTREFUSED0000001"), make_merchant()
        jobs = [Job(command(refused.pk)), Job(command(paid.pk))]
        results = {job.withdrawal_id: SettleResult(Outcome.REFUSED, "closed") for job in jobs[:1]}
        results |= {job.withdrawal_id: SettleResult(Outcome.PAID) for job in jobs[1:]}
        for job, reservation in zip(jobs, reserve([job.request for job in jobs]), strict=True):
            job.accept(reservation)
        confirmations = [confirmation_of(job.members, results[job.withdrawal_id]) for job in jobs]
        with connected() as other, other.cursor() as cursor:
            cursor.execute("SELECT FROM payments_merchantcredit WHERE merchant_id = %s FOR UPDATE", [refused.pk])
            confirmed = confirm([each for each in confirmations if each])
        assert confirmed[str(jobs[0].withdrawal_id)] is None
        assert confirmed[str(jobs[1].withdrawal_id)] is not None
        Withdrawal.objects.filter(state="pending").update(next_attempt_at="2020-01-01T00:00:00Z")
        assert dispatch_due() == 1
        assert find_differences() == []

    def test_a_group_that_fails_fails_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fund_pool()
        merchant = make_merchant()

        def fail(*_: object) -> None:
            raise ValueError("a defect")

        monkeypatch.setattr(pipeline_module, "reserve_all", fail)
        before, group, after = Job(command(merchant.pk)), AtomicJobs([command(merchant.pk)]), Job(command(merchant.pk))
        pipeline().put([before, group, after])
        assert statuses([awaited(before), awaited(after)]) == [201, 201]
        with pytest.raises(ValueError, match="a defect"):
            group.wait()


WORKLOADS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["0.01", "1.00", "2.50", "4.00", "7.00", "11.00"]),
        st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"]),
    ),
    min_size=1,
    max_size=25,
)


def outcome(job: Job) -> tuple[str, str]:
    """What a caller is told of the books: refused for what, or whose withdrawal; not whether it had ended by then."""
    try:
        job.wait()
        result = job.result()
    except DatabaseUnavailable as error:
        raise AssertionError from error
    if isinstance(result, Reservation):
        refused = result.status if result.outcome == "replay" and result.status else None
        return ("withdrawal", job.command.identity.key) if result.is_withdrawal else (result.outcome, str(refused))
    return "withdrawal", job.command.identity.key


@pytest.fixture
def patient(deadline: Callable[[float], None]) -> None:
    """However slow the machine is, the outcomes are compared and not the time."""
    deadline(60)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    workload=WORKLOADS,
    sizes=st.lists(st.integers(1, 8), min_size=1, max_size=10),
    pool=st.sampled_from(["0.01", "5.00", "12.00", "1000.00"]),
)
@pytest.mark.usefixtures("patient")
def test_withdrawals_that_are_combined_equal_the_same_one_by_one(
    workload: list[tuple[int, str, str]], sizes: list[int], pool: str
) -> None:
    def run(*, together: bool) -> tuple[list[tuple[str, str]], dict[str, Any]]:
        merchants = fresh_books(pool, merchants=4)
        Merchant.objects.filter(pk=merchants[3].pk).update(state=Merchant.State.SUSPENDED)
        jobs = [Job(command(merchants[index].pk, amount, f"{index}{key}")) for index, amount, key in workload]
        if together:
            # in pieces that come while others are worked on
            waiting = list(jobs)
            for size in sizes:
                pipeline().put(waiting[:size])
                waiting = waiting[size:]
            pipeline().put(waiting)
            outcomes = [outcome(job) for job in jobs]
        else:
            outcomes = [outcome(put(job)) for job in jobs]
        assert find_differences() == []
        assert set(Withdrawal.objects.values_list("state", flat=True)) <= {"settled"}
        return outcomes, everything(merchants)

    assert run(together=True) == run(together=False)
