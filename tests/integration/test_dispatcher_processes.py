"""Celery's worker and beat as they run in earnest: Redis and the worker may be lost, withdrawals are not."""

import pytest

from etebar_quickstart.stack import Stack

from . import books
from .api import ASYNC, Merchant
from .platform import Platform
from .waiting import wait_until

SLOW_ACCOUNT = "IRTESTSLOW0000000001"


def leave_pending(merchant: Merchant, count: int) -> list[str]:
    """The ids of withdrawals that were answered with 202 at once."""
    answers = [merchant.withdraw("1.00", **ASYNC) for _ in range(count)]
    assert [each.status_code for each in answers] == [202] * count
    return sorted(each.json()["id"] for each in answers)


def wait_all_settled(platform: Platform, merchant: Merchant, ids: list[str]) -> None:
    def settled() -> bool:
        # Celery ends now and then when it loses its broker while it acknowledges a task: a cluster starts it again
        platform.revive()
        return {merchant.state_of(each) for each in ids} == {"settled"}

    wait_until("all are settled", settled)
    assert books.payments_of(platform.stack, *ids) == ids
    books.assert_books_agree(platform.stack)


def attempts(stack: Stack, ids: list[str]) -> int:
    """How often the dispatcher has taken these."""
    statement = "SELECT sum(attempts) FROM payments_withdrawal WHERE id = ANY(%s::uuid[])"
    return int(books.query(stack.dsn("etebar_audit"), statement, ids)[0][0])


@pytest.fixture
def merchant(platform: Platform) -> Merchant:
    return platform.api.merchant()


class TestAPendingWithdrawal:
    def test_ends_by_itself_within_seconds(self, platform: Platform, merchant: Merchant) -> None:
        (withdrawal_id,) = leave_pending(merchant, 1)
        wait_until("it is settled", lambda: merchant.state_of(withdrawal_id) == "settled", timeout_seconds=10)
        assert books.payments_of(platform.stack, withdrawal_id) == [withdrawal_id]


class TestRedisLost:
    def test_withdrawals_go_on_and_those_left_pending_end_when_it_is_back_and_empty(
        self, platform: Platform, stack: Stack, merchant: Merchant
    ) -> None:
        stack.kill9("redis")
        answers = [merchant.withdraw("1.00") for _ in range(5)]
        ids = leave_pending(merchant, 5)
        assert [(each.status_code, each.json()["state"]) for each in answers] == [(201, "settled")] * 5
        stack.restart("redis")
        wait_all_settled(platform, merchant, ids)


class TestTheWorkerKilled:
    def test_in_the_middle_of_its_work_loses_nothing(
        self, platform: Platform, stack: Stack, merchant: Merchant
    ) -> None:
        ids = leave_pending(merchant, 5)
        slow = platform.api.merchant(account=SLOW_ACCOUNT)
        ids_slow = leave_pending(slow, 5)
        wait_until("the worker is at work on the slow ones", lambda: attempts(stack, ids_slow))
        stack.kill9("worker")
        stack.restart("worker")
        books.make_due(stack)
        wait_all_settled(platform, merchant, ids)
        wait_all_settled(platform, slow, ids_slow)

    def test_and_started_again_finds_what_came_meanwhile(
        self, platform: Platform, stack: Stack, merchant: Merchant
    ) -> None:
        stack.kill9("worker")
        ids = leave_pending(merchant, 5)
        stack.restart("worker")
        wait_all_settled(platform, merchant, ids)
