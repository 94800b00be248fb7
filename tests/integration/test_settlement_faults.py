"""Settlement answers late, wrong or not at all: a withdrawal ends right, is paid once, and nobody is misled."""

from collections.abc import Iterator
from decimal import Decimal

import httpx2
import pytest

from etebar_quickstart.ports import free_port

from . import books
from .api import ASYNC, Merchant, new_key
from .faulty_proxy import Fault, FaultyProxy
from .platform import Platform, databases
from .waiting import wait_until

DEADLINE = {"SETTLE_DEADLINE_SECONDS": "1.5"}
RIGHT_ANSWERS = {Fault.FORWARDED_TWICE}
LATE = {Fault.ANSWERED_LATE, Fault.FORWARDED_LATE}
WRONG = sorted(set(Fault) - {Fault.NONE} - RIGHT_ANSWERS - LATE)


@pytest.fixture(scope="module")
def proxied() -> Iterator[tuple[Platform, FaultyProxy]]:
    """A platform of the module's own, whose core reaches settlement through the proxy only."""
    with databases() as stack:
        proxy = FaultyProxy(stack.ports.settlement, free_port())
        with proxy.serving(), Platform.started(stack, {"SETTLEMENT_URL": proxy.url, **DEADLINE}) as platform:
            yield platform, proxy


@pytest.fixture
def platform(proxied: tuple[Platform, FaultyProxy]) -> Platform:
    return proxied[0]


@pytest.fixture
def proxy(proxied: tuple[Platform, FaultyProxy]) -> Iterator[FaultyProxy]:
    yield proxied[1]
    assert not proxied[1].faults, "not all of the planned faults have happened"


def assert_pending_now(answer: httpx2.Response, key: str, merchant: Merchant) -> str:
    """The client was told the truth: accepted, not known to be paid. Returns the withdrawal's id."""
    assert (answer.status_code, answer.json()["state"]) == (202, "pending"), answer.text
    assert answer.headers["Location"] == f"/api/v1/withdrawals/{answer.json()['id']}"
    again = merchant.withdraw("3.00", key)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert again.content == answer.content
    return str(answer.json()["id"])


def assert_ends_paid_once(platform: Platform, merchant: Merchant, key: str, withdrawal_id: str) -> None:
    """The dispatcher settles it; the key then tells the same final answer for ever, and the bank has paid once."""
    platform.wait_settled(merchant, withdrawal_id)
    final = [merchant.withdraw("3.00", key) for _ in range(2)]
    assert [(each.status_code, each.json()["state"]) for each in final] == [(201, "settled")] * 2
    assert final[0].content == final[1].content
    assert books.payments_of(platform.stack, *books.withdrawals_of(platform.stack, merchant.number)) == [withdrawal_id]
    assert merchant.used() == "3.00"


class TestAWrongAnswer:
    @pytest.mark.parametrize("fault", WRONG, ids=lambda fault: fault.value)
    def test_is_no_outcome_and_the_withdrawal_ends_paid_once(
        self, platform: Platform, proxy: FaultyProxy, fault: Fault
    ) -> None:
        merchant, key = platform.api.merchant(), new_key()
        # the first is the request's own, the second meets the dispatcher
        proxy.plan(fault, fault)
        withdrawal_id = assert_pending_now(merchant.withdraw("3.00", key), key, merchant)
        assert_ends_paid_once(platform, merchant, key, withdrawal_id)
        assert proxy.met == [fault, fault]

    def test_leaves_books_that_agree(self, platform: Platform, proxy: FaultyProxy) -> None:
        books.assert_books_agree(platform.stack)


class TestALateAnswer:
    @pytest.mark.parametrize("fault", sorted(LATE), ids=lambda fault: fault.value)
    def test_comes_after_the_outcome_is_known_and_changes_nothing(
        self, platform: Platform, proxy: FaultyProxy, fault: Fault
    ) -> None:
        merchant, key = platform.api.merchant(), new_key()
        proxy.plan(fault)
        withdrawal_id = assert_pending_now(merchant.withdraw("3.00", key), key, merchant)
        assert_ends_paid_once(platform, merchant, key, withdrawal_id)
        proxy.late_may_go.set()
        wait_until("the late one has gone through", lambda: proxy.met == [fault])
        assert_ends_paid_once(platform, merchant, key, withdrawal_id)
        books.assert_books_agree(platform.stack)


class TestAnOrderThatArrivesTwice:
    def test_is_paid_once_and_answered_as_paid(self, platform: Platform, proxy: FaultyProxy) -> None:
        merchant, key = platform.api.merchant(), new_key()
        proxy.plan(Fault.FORWARDED_TWICE)
        answer = merchant.withdraw("3.00", key)
        assert (answer.status_code, answer.json()["state"]) == (201, "settled")
        assert merchant.withdraw("3.00", key).content == answer.content
        assert_ends_paid_once(platform, merchant, key, answer.json()["id"])
        books.assert_books_agree(platform.stack)


class TestSettlementThatIsDown:
    def test_leaves_withdrawals_pending_until_it_is_back(self, platform: Platform, proxy: FaultyProxy) -> None:
        merchant, key = platform.api.merchant(), new_key()
        proxy.down()
        try:
            withdrawal_id = assert_pending_now(merchant.withdraw("3.00", key), key, merchant)
            books.make_due(platform.stack)
            wait_until("the dispatcher has asked in vain", lambda: asked(platform, withdrawal_id) >= 2)
            assert merchant.state_of(withdrawal_id) == "pending"
        finally:
            proxy.up()
        assert_ends_paid_once(platform, merchant, key, withdrawal_id)
        books.assert_books_agree(platform.stack)


class TestABankThatRefuses:
    def test_fails_the_withdrawal_and_the_funds_come_back(self, platform: Platform, proxy: FaultyProxy) -> None:
        merchant, key = platform.api.merchant(account="IRTESTREFUSED0000001"), new_key()
        proxy.plan(Fault.DROPPED)
        withdrawal_id = assert_pending_now(merchant.withdraw("3.00", key), key, merchant)
        books.make_due(platform.stack)
        wait_until("it is failed", lambda: merchant.state_of(withdrawal_id) == "failed")
        final = merchant.withdraw("3.00", key)
        assert (final.status_code, final.json()["code"]) == (409, "payout_failed")
        assert Decimal(merchant.used()) == 0
        assert books.payments_of(platform.stack, withdrawal_id) == []
        books.assert_books_agree(platform.stack)


class TestAWrongAnswerToTheDispatcher:
    def test_delays_many_withdrawals_and_each_is_paid_once(self, platform: Platform, proxy: FaultyProxy) -> None:
        merchant = platform.api.merchant()
        proxy.plan(Fault.NO_AMOUNT)
        ids = sorted(merchant.withdraw("1.00", **ASYNC).json()["id"] for _ in range(5))
        wait_until("all are settled", lambda: {merchant.state_of(each) for each in ids} == {"settled"})
        assert books.payments_of(platform.stack, *ids) == ids
        books.assert_books_agree(platform.stack)


def asked(platform: Platform, withdrawal_id: str) -> int:
    """How often the dispatcher has asked about it."""
    statement = "SELECT count(*) FROM payments_dispatchattempt WHERE withdrawal_id = %s AND outcome = 'unknown'"
    return int(books.query(platform.stack.dsn("etebar_audit"), statement, withdrawal_id)[0][0])
