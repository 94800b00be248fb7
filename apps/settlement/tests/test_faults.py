import asyncio
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import httpx2
import pytest
from settlement_helpers import (
    ACCOUNT,
    PAYOUTS,
    WITHDRAW,
    TestDatabase,
    assert_problem,
    running,
    settings_for,
    withdrawal,
)

from settlement.database import open_database
from settlement.rails.base import PAID, Transfer, Verdict
from settlement.rails.sandbox import SandboxRail
from settlement.settings import Settings


async def states(client: httpx2.AsyncClient, body: dict[str, object], *, sends: int, fault: str = "") -> list[str]:
    headers = {"X-Sandbox-Fault": fault} if fault else {}
    return [(await client.post(WITHDRAW, json=body, headers=headers)).json()["state"] for _ in range(sends)]


async def booked(database: TestDatabase, body: dict[str, str]) -> tuple[str, int]:
    transfer = await database.transfer(body["withdrawal_id"])
    assert transfer
    return transfer["state"], transfer["pay_calls"]


FAULTS = {
    "refused": "IRTESTREFUSED1",
    "timeout_after_paying": "IRTESTTIMEOUT1",
    "wrong_body": "IRTESTGARBLED1",
    "error": "IRTESTERROR1",
    "down": "IRTESTDOWN1",
}
BY_ACCOUNT_AND_BY_HEADER = pytest.mark.parametrize("by_header", [False, True])


def scripted(fault: str, *, by_header: bool) -> tuple[dict[str, str], str]:
    return (withdrawal(), fault) if by_header else (withdrawal(account=FAULTS[fault]), "")


class TestAQuestionToTheSandboxBank:
    async def test_about_another_amount_or_account_has_no_outcome(self, settings: Settings) -> None:
        paid = Transfer(str(uuid4()), Decimal("1.00"), ACCOUNT)
        others = [replace(paid, amount=Decimal("2.00")), replace(paid, account="IRTEST2")]
        async with open_database(settings) as opened:
            rail = SandboxRail(opened, slow_seconds=0)
            await rail.pay(paid)
            assert await rail.status(paid) == PAID
            for other in others:
                assert (await rail.status(other)).verdict is Verdict.UNKNOWN


@BY_ACCOUNT_AND_BY_HEADER
class TestTheSandboxBank:
    async def test_refuses_for_a_reason_and_for_good(
        self, client: httpx2.AsyncClient, database: TestDatabase, by_header: bool
    ) -> None:
        body, fault = scripted("refused", by_header=by_header)
        assert await states(client, body, sends=2, fault=fault) == ["refused", "refused"]
        assert await booked(database, body) == ("refused", 1)
        payout = (await client.get(f"{PAYOUTS}/{body['withdrawal_id']}")).json()
        assert payout["reason"] == "account_closed"
        assert payout["decided_at"]

    @pytest.mark.parametrize("fault_name", ["timeout_after_paying", "wrong_body"])
    async def test_that_paid_but_was_not_understood_is_asked_and_not_paid_again(
        self, client: httpx2.AsyncClient, database: TestDatabase, by_header: bool, fault_name: str
    ) -> None:
        body, fault = scripted(fault_name, by_header=by_header)
        assert await states(client, body, sends=2, fault=fault) == ["pending", "paid"]
        assert await booked(database, body) == ("paid", 1)

    async def test_that_failed_before_paying_is_sent_the_same_reference_again(
        self, client: httpx2.AsyncClient, database: TestDatabase, by_header: bool
    ) -> None:
        body, fault = scripted("error", by_header=by_header)
        assert await states(client, body, sends=3, fault=fault) == ["pending", "paid", "paid"]
        assert await booked(database, body) == ("paid", 2)

    async def test_that_is_down_pays_nothing_and_leaves_it_pending(
        self, client: httpx2.AsyncClient, database: TestDatabase, by_header: bool
    ) -> None:
        body, fault = scripted("down", by_header=by_header)
        assert await states(client, body, sends=3, fault=fault) == ["pending"] * 3
        assert (await booked(database, body))[0] == "received"


class TestASlowBank:
    async def test_is_waited_for_within_the_deadline(self, client: httpx2.AsyncClient) -> None:
        assert (await client.post(WITHDRAW, json=withdrawal(account="IRTESTSLOW1"))).status_code == 200

    @pytest.mark.parametrize("headers", [{}, {"X-Sandbox-Fault": "slow"}])
    async def test_beyond_the_deadline_is_pending_and_paid_later(
        self, database: TestDatabase, headers: dict[str, str]
    ) -> None:
        body = withdrawal() if headers else withdrawal(account="IRTESTSLOW1")
        async with running(settings_for(database, withdraw_deadline_ms=100)) as client:
            first = await client.post(WITHDRAW, json=body, headers=headers)
            assert (first.status_code, first.json()["state"], first.json()["decided_at"]) == (202, "pending", None)
            await asyncio.sleep(0.6)
            assert (await client.post(WITHDRAW, json=body)).json()["state"] == "paid"
        assert await booked(database, body) == ("paid", 1)

    async def test_slower_than_the_rails_timeout_is_an_unknown_outcome(self, database: TestDatabase) -> None:
        slow = settings_for(database, bank_timeout_seconds=0.1)
        async with running(slow) as client:
            answer = await client.post(WITHDRAW, json=withdrawal(account="IRTESTSLOW1"))
        assert (answer.status_code, answer.json()["state"]) == (202, "pending")


class TestABankThatIsUpAgain:
    async def test_pays_what_was_pending(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        body = withdrawal()
        assert await states(client, body, sends=2, fault="down") == ["pending", "pending"]
        assert await states(client, body, sends=1) == ["paid"]
        assert (await booked(database, body))[0] == "paid"


class TestTheFaultHeader:
    async def test_with_an_unknown_fault_is_refused(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post(WITHDRAW, json=withdrawal(), headers={"X-Sandbox-Fault": "earthquake"})
        assert_problem(answer, 422, "validation_failed")

    async def test_is_not_listened_to_in_the_sandbox_profile(self, database: TestDatabase) -> None:
        async with running(settings_for(database, etebar_profile="sandbox")) as client:
            answer = await client.post(WITHDRAW, json=withdrawal(), headers={"X-Sandbox-Fault": "refused"})
        assert answer.json()["state"] == "paid"
