import asyncio
import time
from uuid import uuid4

import httpx2
import pytest
from settlement_helpers import ACCOUNT, BATCH, PAYOUTS, TestDatabase, assert_problem, fields_of, withdrawal

from settlement.database import Database


class TestABatch:
    async def test_answers_each_member_in_the_requests_order(self, client: httpx2.AsyncClient) -> None:
        bodies = [withdrawal(account=account) for account in (ACCOUNT, "IRTESTREFUSED1", ACCOUNT)]
        answer = await client.post(BATCH, json={"withdrawals": bodies})
        results = answer.json()["results"]
        assert [result["withdrawal_id"] for result in results] == [body["withdrawal_id"] for body in bodies]
        assert [(result["state"], result["reason"]) for result in results] == [
            ("paid", None),
            ("refused", "account_closed"),
            ("paid", None),
        ]
        assert results[0]["payout"]["amount"] == "1.00"

    async def test_is_not_held_up_by_a_slow_member_whose_work_goes_on(self, client: httpx2.AsyncClient) -> None:
        slow, quick = withdrawal(account="IRTESTSLOW1"), [withdrawal() for _ in range(5)]
        started = time.monotonic()
        answer = await client.post(BATCH, json={"deadline_ms": 150, "withdrawals": [slow, *quick]})
        assert time.monotonic() - started < 0.35
        assert [result["state"] for result in answer.json()["results"]] == ["pending", *["paid"] * 5]
        await asyncio.sleep(0.5)
        assert (await client.get(f"{PAYOUTS}/{slow['withdrawal_id']}")).json()["state"] == "paid"

    async def test_records_the_quick_members_before_the_slow_one_is_through(self, client: httpx2.AsyncClient) -> None:
        slow, quick = withdrawal(account="IRTESTSLOW1"), withdrawal()
        request = asyncio.create_task(client.post(BATCH, json={"withdrawals": [slow, quick]}))
        await asyncio.sleep(0.2)
        assert (await client.get(f"{PAYOUTS}/{quick['withdrawal_id']}")).json()["state"] == "paid"
        assert [result["state"] for result in (await request).json()["results"]] == ["paid", "paid"]

    async def test_of_a_hundred_takes_a_handful_of_statements(
        self, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        statements: list[str] = []
        fetch = Database.fetch

        async def counted(self: Database, statement: str, *values: object) -> object:
            statements.append(statement)
            return await fetch(self, statement, *values)

        monkeypatch.setattr(Database, "fetch", counted)
        answer = await client.post(BATCH, json={"withdrawals": [withdrawal() for _ in range(100)]})
        assert {result["state"] for result in answer.json()["results"]} == {"paid"}
        assert len(statements) == 3

    async def test_of_a_thousand_is_paid(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post(BATCH, json={"withdrawals": [withdrawal() for _ in range(1000)]})
        assert {result["state"] for result in answer.json()["results"]} == {"paid"}

    async def test_with_an_id_twice_pays_it_once_and_calls_other_content_a_conflict(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal()
        answer = await client.post(BATCH, json={"withdrawals": [body, body, body | {"amount": "2.00"}]})
        results = answer.json()["results"]
        assert [result["state"] for result in results] == ["paid", "paid", "conflict"]
        assert (results[2]["reason"], results[2]["payout"]) == ("payout_conflict", None)
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert (transfer["pay_calls"], str(transfer["amount"])) == (1, "1.00")

    async def test_that_overlaps_others_in_another_order_pays_each_once(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        bodies = [withdrawal() for _ in range(200)]
        orders = [bodies, bodies[::-1], bodies[100:] + bodies[:100]] * 3
        answers = await asyncio.gather(*(client.post(BATCH, json={"withdrawals": each}) for each in orders))
        states = {result["state"] for answer in answers for result in answer.json()["results"]}
        assert states == {"paid"}
        references = [body["withdrawal_id"] for body in bodies]
        calls = await database.rows("SELECT pay_calls FROM sandbox_transfers WHERE reference = ANY($1)", references)
        assert [row["pay_calls"] for row in calls] == [1] * 200

    async def test_repeated_after_faults_takes_every_payout_that_can_be_paid_to_its_end(
        self, client: httpx2.AsyncClient
    ) -> None:
        accounts = (ACCOUNT, "IRTESTTIMEOUT1", "IRTESTERROR1", "IRTESTGARBLED1", "IRTESTDOWN1")
        bodies = [withdrawal(account=account) for account in accounts]
        first = await client.post(BATCH, json={"withdrawals": bodies})
        second = await client.post(BATCH, json={"withdrawals": bodies})
        assert [result["state"] for result in first.json()["results"]] == ["paid", *["pending"] * 4]
        assert [result["state"] for result in second.json()["results"]] == [*["paid"] * 4, "pending"]


class TestABatchThatIsNotRight:
    async def test_pays_nothing_and_names_every_wrong_field(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        good = withdrawal()
        bodies = [good, withdrawal(amount=1), withdrawal(account=None), withdrawal(withdrawal_id=None)]
        problem = assert_problem(await client.post(BATCH, json={"withdrawals": bodies}), 422, "validation_failed")
        assert fields_of(problem) == ["withdrawals.1.amount", "withdrawals.2.account", "withdrawals.3.withdrawal_id"]
        assert await database.transfer(good["withdrawal_id"]) is None

    async def test_names_every_account_that_cannot_be_paid(self, client: httpx2.AsyncClient) -> None:
        bodies = [withdrawal(account="XX00"), withdrawal(), withdrawal(account="GB00BUKB20201555555555")]
        problem = assert_problem(await client.post(BATCH, json={"withdrawals": bodies}), 422, "validation_failed")
        assert fields_of(problem) == ["withdrawals.0.account", "withdrawals.2.account"]

    @pytest.mark.parametrize("count", [0, 1001])
    async def test_has_one_to_a_thousand_members(self, client: httpx2.AsyncClient, count: int) -> None:
        body = withdrawal()
        bodies = [body | {"withdrawal_id": str(uuid4())} for _ in range(count)]
        problem = assert_problem(await client.post(BATCH, json={"withdrawals": bodies}), 422, "validation_failed")
        assert fields_of(problem) == ["withdrawals"]

    @pytest.mark.parametrize("deadline", [0, -1, 30_001, "100", 1.5, True])
    async def test_has_a_deadline_in_bounds(self, client: httpx2.AsyncClient, deadline: object) -> None:
        body = {"deadline_ms": deadline, "withdrawals": [withdrawal()]}
        assert fields_of(assert_problem(await client.post(BATCH, json=body), 422, "validation_failed")) == [
            "deadline_ms"
        ]
