"""An outcome that two people decided, on real processes: carried out once, whatever dies on the way."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from etebar_common.crash import CrashPoint

from . import books
from .api import Api, Merchant, assert_problem, new_key
from .platform import Platform
from .waiting import wait_until

DOWN = "IRTESTDOWN0000000001"
EVIDENCE = {"evidence": "the bank's letter", "bank_reference": "letter 12"}


@dataclass(frozen=True)
class Case:
    """What two people decide, and how the withdrawal ends by it: its state, what is used, the answer to its key."""

    outcome: str
    state: str
    used: str
    status: int


PAID, REFUSED = Case("paid", "settled", "3.00", 201), Case("refused", "failed", "0.00", 409)
CASES = pytest.mark.parametrize("case", [PAID, REFUSED], ids=lambda case: case.outcome)


@pytest.fixture
def second(platform: Platform) -> dict[str, str]:
    """The header of another member of staff, whose account is older than what the test asks for."""
    return second_person(platform)


def second_person(platform: Platform) -> dict[str, str]:
    """The header of a new member of staff."""
    name = f"second-{uuid.uuid4().hex[:8]}"
    made = platform.stack.manage("staff", "add", name)
    assert made.returncode == 0, made.stderr
    return platform.api.sign_in(name, made.stdout.split()[-1])


def left_unknown(platform: Platform, merchant: Merchant, key: str) -> str:
    """A withdrawal whose bank never answers, flagged for staff."""
    answer = merchant.withdraw("3.00", key)
    assert answer.status_code == 202
    withdrawal_id = str(answer.json()["id"])
    flag = "UPDATE payments_withdrawal SET overdue_since = now() WHERE id = %s"
    books.query(platform.stack.dsn("wallet_app"), flag, withdrawal_id)
    return withdrawal_id


def decide(api: Api, second: dict[str, str], withdrawal_id: str, outcome: str) -> str:
    asked = api.must("POST", f"/admin/withdrawals/{withdrawal_id}/outcome", {"outcome": outcome, **EVIDENCE}, api.admin)
    alone = api.send("POST", "/admin/approvals/approve", {"approval_id": asked["approval_id"]}, api.admin)
    assert_problem(alone, 409, "second_person_needed")
    api.must("POST", "/admin/approvals/approve", {"approval_id": asked["approval_id"]}, second)
    return str(asked["approval_id"])


def ended(merchant: Merchant, withdrawal_id: str) -> Callable[[], bool]:
    return lambda: merchant.state_of(withdrawal_id) != "pending"


def result_of(api: Api, approval_id: str) -> Any:
    listed = api.must("GET", "/admin/approvals?kind=unknown_outcome&limit=200", headers=api.admin)["results"]
    return next(each["result"] for each in listed if each["approval_id"] == approval_id)


class TestADecidedOutcome:
    @CASES
    def test_ends_what_the_bank_never_answered(self, platform: Platform, second: dict[str, str], case: Case) -> None:
        merchant, key = platform.api.merchant(account=DOWN), new_key()
        withdrawal_id = left_unknown(platform, merchant, key)
        approval_id = decide(platform.api, second, withdrawal_id, case.outcome)
        wait_until("it has ended", ended(merchant, withdrawal_id))
        assert (merchant.state_of(withdrawal_id), merchant.used()) == (case.state, case.used)
        assert merchant.withdraw("3.00", key).status_code == case.status
        assert result_of(platform.api, approval_id) == "carried_out"
        assert books.payments_of(platform.stack, withdrawal_id) == []
        books.assert_books_agree(platform.stack)

    @pytest.mark.parametrize(
        "point", [CrashPoint.DISPATCH_CLAIMED, CrashPoint.DECISION_CONCLUDED, CrashPoint.BEFORE_CONFIRM_COMMIT]
    )
    @CASES
    def test_is_carried_out_once_when_the_worker_is_killed_at(
        self, platform: Platform, second: dict[str, str], point: CrashPoint, case: Case
    ) -> None:
        merchant, key = platform.api.merchant(account=DOWN), new_key()
        withdrawal_id = left_unknown(platform, merchant, key)
        platform.arm("worker", point)
        approval_id = decide(platform.api, second, withdrawal_id, case.outcome)
        wait_until("a process has killed itself", lambda: platform.has_crashed("worker"))
        platform.come_back("worker")
        books.make_due(platform.stack)
        wait_until("it has ended", ended(merchant, withdrawal_id))
        assert (merchant.state_of(withdrawal_id), merchant.used()) == (case.state, case.used)
        assert merchant.withdraw("3.00", key).status_code == case.status
        assert result_of(platform.api, approval_id) == "carried_out"
        books.assert_books_agree(platform.stack)
