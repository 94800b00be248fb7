"""kill -9 at every named point of a withdrawal: it is paid once or never was, and nobody was told a lie."""

import contextlib
from dataclasses import dataclass

import httpx2
import pytest

from etebar_common.crash import CrashPoint

from . import books
from .api import ASYNC, Merchant, new_key
from .platform import Platform
from .waiting import wait_until

BROKEN = None
# cases of their own: migrations, webhooks and the operator in tests/chaos, decisions in test_decided_outcomes.py
ELSEWHERE = {
    CrashPoint.CORE_MIGRATION_APPLIED,
    CrashPoint.BEFORE_SETTLEMENT_MIGRATIONS_COMMIT,
    CrashPoint.DECISION_CONCLUDED,
    CrashPoint.WEBHOOK_CLAIMED,
    CrashPoint.WEBHOOK_SENT,
    CrashPoint.OPERATOR_SECRET_WRITTEN,
    CrashPoint.OPERATOR_CORE_ANSWERED,
}


@dataclass(frozen=True)
class Case:
    """Which service dies where; what the client sees (BROKEN: no answer), and what is left: the withdrawal's state
    (None: there is none) and how often the bank has paid.
    """

    service: str
    point: CrashPoint
    client_sees: int | None
    state: str | None
    payments: int


CASES = (
    Case("core", CrashPoint.BEFORE_RESERVE_COMMIT, BROKEN, None, 0),
    Case("core", CrashPoint.AFTER_RESERVE_COMMIT, BROKEN, "pending", 0),
    Case("core", CrashPoint.BEFORE_SETTLE, BROKEN, "pending", 0),
    Case("core", CrashPoint.BEFORE_CONFIRM, BROKEN, "pending", 1),
    Case("core", CrashPoint.BEFORE_CONFIRM_COMMIT, BROKEN, "pending", 1),
    Case("core", CrashPoint.AFTER_CONFIRM, BROKEN, "settled", 1),
    Case("settlement", CrashPoint.AFTER_PAYOUT_RECORDED, 202, "pending", 0),
    Case("settlement", CrashPoint.AFTER_RAIL_PAID, 202, "pending", 1),
    Case("settlement", CrashPoint.AFTER_PAYOUT_DECIDED, 202, "pending", 1),
    Case("worker", CrashPoint.DISPATCH_CLAIMED, 202, "pending", 0),
    Case("worker", CrashPoint.DISPATCH_ANSWERED, 202, "pending", 1),
)


def withdraw_into_crash(platform: Platform, case: Case, merchant: Merchant, key: str) -> int | None:
    """Sends a withdrawal into the armed point and returns the answer's status once the process is dead."""
    platform.arm(case.service, case.point)
    # the worker dies when it asks about a withdrawal that was left to it
    headers = ASYNC if case.service == "worker" else {}
    status: int | None = BROKEN
    with contextlib.suppress(httpx2.TransportError):
        status = merchant.withdraw("3.00", key, **headers).status_code
    wait_until("a process has killed itself", lambda: platform.has_crashed(case.service))
    return status


def what_is_left(platform: Platform, key: str) -> tuple[str | None, int]:
    """The state of the key's withdrawal, and how often the bank has paid it."""
    made = books.withdrawals_under(platform.stack, key)
    assert len(made) <= 1
    return (made[0][1] if made else None), len(books.payments_of(platform.stack, *(each for each, _ in made)))


def repeat_until_final(platform: Platform, merchant: Merchant, key: str) -> httpx2.Response:
    """Repeats the request until its answer is final, as a client does that wants to know."""
    assert merchant.withdraw("3.00", key).status_code in {201, 202}
    books.make_due(platform.stack)

    def final() -> httpx2.Response | None:
        answer = merchant.withdraw("3.00", key)
        assert answer.status_code in {201, 202}, answer.text
        return answer if answer.status_code == 201 else None

    return wait_until("the withdrawal is settled", final)


class TestKilledAt:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case.point.value)
    def test_this_point_a_withdrawal_ends_paid_once_or_never_was(self, platform: Platform, case: Case) -> None:
        merchant, key = platform.api.merchant(), new_key()
        acknowledged = merchant.withdraw("2.00")
        assert acknowledged.status_code == 201
        assert withdraw_into_crash(platform, case, merchant, key) == case.client_sees
        assert what_is_left(platform, key) == (case.state, case.payments)
        platform.come_back(case.service)
        final = repeat_until_final(platform, merchant, key)
        assert what_is_left(platform, key) == ("settled", 1)
        assert merchant.withdraw("3.00", key).content == final.content
        assert merchant.state_of(acknowledged.json()["id"]) == "settled"
        assert merchant.used() == "5.00"
        books.assert_books_agree(platform.stack)

    def test_no_crash_point_is_without_a_case(self) -> None:
        assert sorted(case.point for case in CASES) == sorted(set(CrashPoint) - ELSEWHERE)
