import asyncio
from uuid import uuid4

import httpx2
from settlement_helpers import (
    ACCOUNT,
    FINGERPRINT_KEY,
    PAYOUTS,
    WITHDRAW,
    TestDatabase,
    assert_problem,
    fields_of,
    running,
    settings_for,
    withdrawal,
)

from etebar_common.fingerprint import account_fingerprint
from settlement.settings import Settings


class TestOnePayout:
    async def test_is_paid_and_answered_as_the_contract_says(self, client: httpx2.AsyncClient) -> None:
        body = withdrawal(amount="12.5")
        answer = await client.post(WITHDRAW, json=body)
        assert answer.status_code == 200
        payout = answer.json()
        assert payout.pop("created_at").endswith("Z")
        assert payout.pop("decided_at").endswith("Z")
        assert payout == {
            "withdrawal_id": body["withdrawal_id"],
            "merchant_id": 7,
            "account_id": body["account_id"],
            "amount": "12.50",
            "account_fingerprint": account_fingerprint(ACCOUNT, FINGERPRINT_KEY.encode()),
            "state": "paid",
            "reason": None,
            "rail": "sandbox",
            "reference": body["withdrawal_id"],
            "direct_test": False,
            "evidence": None,
            "idempotency_key": None,
        }

    async def test_moves_the_amount_to_the_account_in_the_banks_books(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal(amount="3.07")
        await client.post(WITHDRAW, json=body)
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert (transfer["account"], str(transfer["amount"]), transfer["state"]) == (ACCOUNT, "3.07", "paid")

    async def test_does_not_store_the_account_number_but_a_fingerprint_and_a_masked_form(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal()
        await client.post(WITHDRAW, json=body)
        [row] = await database.rows("SELECT * FROM payouts WHERE withdrawal_id = $1::uuid", body["withdrawal_id"])
        assert ACCOUNT not in str(dict(row))
        assert row["account_masked"] == "IR*************0001"

    async def test_is_the_same_whether_the_account_has_spaces_or_not(self, client: httpx2.AsyncClient) -> None:
        body = withdrawal(account="irtest 0000 0000 0000 1")
        assert (await client.post(WITHDRAW, json=body)).json()["state"] == "paid"
        assert (await client.post(WITHDRAW, json=body | {"account": "IRTEST0000000000001"})).status_code == 200


class TestARepeatedPayout:
    async def test_is_answered_the_same_and_paid_once(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        body = withdrawal()
        first = await client.post(WITHDRAW, json=body)
        second = await client.post(WITHDRAW, json=body)
        assert first.json() == second.json()
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert transfer["pay_calls"] == 1

    async def test_fifty_times_at_once_makes_one_transfer_and_one_answer(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal()
        answers = await asyncio.gather(*(client.post(WITHDRAW, json=body) for _ in range(50)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert transfer["pay_calls"] == 1

    async def test_fifty_times_at_once_to_a_slow_account_waits_for_the_one_send(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal(account="IRTESTSLOW1")
        answers = await asyncio.gather(*(client.post(WITHDRAW, json=body) for _ in range(50)))
        assert {answer.json()["state"] for answer in answers} == {"paid"}
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert transfer["pay_calls"] == 1

    async def test_of_two_processes_at_once_is_paid_once(self, settings: Settings, database: TestDatabase) -> None:
        bodies = [withdrawal() for _ in range(20)]
        async with running(settings) as one, running(settings) as other:
            await asyncio.gather(*(each.post(WITHDRAW, json=body) for body in bodies for each in (one, other)))
            answers = [await one.post(WITHDRAW, json=body) for body in bodies]
        assert {answer.json()["state"] for answer in answers} == {"paid"}
        references = [body["withdrawal_id"] for body in bodies]
        calls = await database.rows("SELECT pay_calls FROM sandbox_transfers WHERE reference = ANY($1)", references)
        assert [row["pay_calls"] for row in calls] == [1] * 20


class TestTheSameIdWithOtherContent:
    async def test_is_a_conflict_that_names_what_differs_and_pays_nothing(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal()
        await client.post(WITHDRAW, json=body)
        others = {
            "amount": "2.00",
            "merchant_id": 8,
            "account_id": str(uuid4()),
            "account": "IRTEST2",
        }
        for field, value in others.items():
            problem = assert_problem(await client.post(WITHDRAW, json=body | {field: value}), 409, "payout_conflict")
            assert problem["differs"] == [field]
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert (transfer["pay_calls"], str(transfer["amount"]), transfer["account"]) == (1, "1.00", ACCOUNT)

    async def test_of_many_at_once_pays_one_and_refuses_the_others(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal()
        answers = await asyncio.gather(
            *(client.post(WITHDRAW, json=body | {"amount": f"{n}.00"}) for n in range(1, 21))
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
        [paid] = [answer.json()["amount"] for answer in answers if answer.status_code == 200]
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert (str(transfer["amount"]), transfer["pay_calls"]) == (paid, 1)

    async def test_does_not_send_a_pending_payout_again(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal(account="IRTESTDOWN1")
        await client.post(WITHDRAW, json=body)
        assert_problem(await client.post(WITHDRAW, json=body | {"account": ACCOUNT}), 409, "payout_conflict")
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert (transfer["state"], transfer["pay_calls"]) == ("received", 1)


class TestAPayoutWithoutAWithdrawalId:
    async def test_is_paid_under_a_new_id_and_marked_direct_test(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post(WITHDRAW, json=withdrawal(withdrawal_id=None))
        assert answer.status_code == 200
        assert answer.json()["direct_test"] is True
        found = await client.get(f"{PAYOUTS}/{answer.json()['withdrawal_id']}")
        assert found.json() == answer.json()

    async def test_is_refused_on_a_real_rail(self, database: TestDatabase) -> None:
        real = settings_for(database, rail="http", bank_url="http://127.0.0.1:1", bank_token="t")
        async with running(real) as client:
            answer = await client.post(WITHDRAW, json=withdrawal(withdrawal_id=None))
        assert fields_of(assert_problem(answer, 422, "validation_failed")) == ["withdrawal_id"]

    async def test_is_refused_in_production(self, database: TestDatabase) -> None:
        real = settings_for(
            database, etebar_profile="production", rail="http", bank_url="http://127.0.0.1:1", bank_token="t"
        )
        async with running(real) as client:
            body = withdrawal(withdrawal_id=None, account="GB33BUKB20201555555555")
            answer = await client.post(WITHDRAW, json=body)
        assert fields_of(assert_problem(answer, 422, "validation_failed")) == ["withdrawal_id"]


class TestAPayoutOfAnotherRail:
    async def test_stays_pending_and_is_not_sent_on_this_one(self, database: TestDatabase) -> None:
        body = withdrawal()
        real = settings_for(database, rail="http", bank_url="http://127.0.0.1:1", bank_token="t")
        async with running(real) as client:
            assert (await client.post(WITHDRAW, json=body)).status_code == 202
        async with running(settings_for(database)) as client:
            answer = await client.post(WITHDRAW, json=body)
        assert (answer.status_code, answer.json()["rail"]) == (202, "http")
        assert await database.transfer(body["withdrawal_id"]) is None
