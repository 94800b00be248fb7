import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from settlement_helpers import FINGERPRINT_KEY, WITHDRAW, TestDatabase, order, running, settings_for, withdrawal

from etebar_common.fingerprint import account_fingerprint
from settlement.database import open_database
from settlement.payouts.records import Claim
from settlement.payouts.store import PayoutStore
from settlement.rails.base import PAID, unknown
from settlement.settings import Settings

LEFT_BEHIND = """
INSERT INTO payouts (withdrawal_id, merchant_id, account_id, amount, account_fingerprint, account_masked, rail,
    reference, lease_until, attempts, first_sent_at)
VALUES ($1::uuid, $2, $3::uuid, $4::text::numeric, $5, 'IR**', 'sandbox', $1::text, now() + $6, 1, now())
"""


async def leave_behind(database: TestDatabase, body: dict[str, Any], lease: timedelta) -> None:
    """What a process that died between recording and deciding left: a pending payout under its lease."""
    fingerprint = account_fingerprint(body["account"], FINGERPRINT_KEY.encode())
    async with database.connect() as connection:
        await connection.execute(
            LEFT_BEHIND,
            body["withdrawal_id"],
            body["merchant_id"],
            body["account_id"],
            body["amount"],
            fingerprint,
            lease,
        )


class TestAPayoutUnderTheLeaseOfAnotherProcess:
    async def test_is_answered_pending_and_not_sent(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        body = withdrawal()
        await leave_behind(database, body, timedelta(minutes=1))
        answer = await client.post(WITHDRAW, json=body)
        assert (answer.status_code, answer.json()["state"]) == (202, "pending")
        assert await database.transfer(body["withdrawal_id"]) is None


class TestAPayoutWhoseLeaseRanOut:
    async def test_is_sent_when_the_bank_never_saw_it(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        body = withdrawal()
        await leave_behind(database, body, timedelta(seconds=-1))
        assert (await client.post(WITHDRAW, json=body)).json()["state"] == "paid"
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert transfer["pay_calls"] == 1

    @pytest.mark.parametrize(("state", "reason"), [("paid", None), ("refused", "account_closed")])
    async def test_is_recorded_as_the_bank_knows_it_without_a_second_send(
        self, client: httpx2.AsyncClient, database: TestDatabase, state: str, reason: str | None
    ) -> None:
        body = withdrawal()
        await leave_behind(database, body, timedelta(seconds=-1))
        await database.rows(
            "INSERT INTO sandbox_transfers VALUES ($1, $2, 1.00, $3, $4)",
            body["withdrawal_id"],
            body["account"],
            state,
            reason,
        )
        answer = (await client.post(WITHDRAW, json=body)).json()
        assert (answer["state"], answer["reason"]) == (state, reason)
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert transfer["pay_calls"] == 1

    async def test_is_taken_over_by_one_of_two_processes(self, settings: Settings, database: TestDatabase) -> None:
        body = withdrawal(account="IRTESTSLOW1")
        await leave_behind(database, body, timedelta(seconds=-1))
        async with running(settings) as one, running(settings) as other:
            answers = await asyncio.gather(*(each.post(WITHDRAW, json=body) for each in (one, other)))
        assert sorted(answer.json()["state"] for answer in answers) == ["paid", "pending"]
        transfer = await database.transfer(body["withdrawal_id"])
        assert transfer
        assert transfer["pay_calls"] == 1


class TestALease:
    async def test_keeps_others_out_until_it_is_released(self, settings: Settings) -> None:
        async with open_database(settings) as database:
            store = PayoutStore(database, "sandbox", lease_seconds=60)
            ordered = order()
            [payout] = (await store.record([ordered])).values()
            assert await store.claim([ordered.withdrawal_id]) == {}
            claim = Claim(ordered, payout, fresh=True)
            await store.conclude([claim], {ordered.reference: unknown("lost")})
            [taken] = (await store.claim([ordered.withdrawal_id])).values()
        assert taken.attempts == payout.attempts + 1

    async def test_is_not_ended_by_the_worker_that_lost_it(self, settings: Settings) -> None:
        async with open_database(settings) as database:
            ordered = order()
            [first] = (await PayoutStore(database, "sandbox", lease_seconds=0).record([ordered])).values()
            store = PayoutStore(database, "sandbox", lease_seconds=60)
            assert await store.claim([ordered.withdrawal_id])
            late = Claim(ordered, first, fresh=True)
            await store.conclude([late], {ordered.reference: unknown("lost")})
            assert await store.claim([ordered.withdrawal_id]) == {}

    async def test_that_was_lost_does_not_keep_a_definite_outcome_from_being_recorded(self, settings: Settings) -> None:
        async with open_database(settings) as database:
            store = PayoutStore(database, "sandbox", lease_seconds=0)
            ordered = order()
            [first] = (await store.record([ordered])).values()
            assert await store.claim([ordered.withdrawal_id])
            late = Claim(ordered, first, fresh=True)
            [decided] = (await store.conclude([late], {ordered.reference: PAID})).values()
            assert decided.state == "paid"
            assert await store.conclude([late], {ordered.reference: PAID}) == {}

    def test_outlasts_a_question_and_a_payment(self, database: TestDatabase) -> None:
        settings = settings_for(database, bank_timeout_seconds=30)
        assert settings.lease_seconds > 2 * 30

    async def test_first_sent_at_stays_when_it_is_sent_again(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal(account="IRTESTERROR1")
        sent_at = "SELECT first_sent_at FROM payouts WHERE withdrawal_id = $1::uuid"
        await client.post(WITHDRAW, json=body)
        first = await database.value(sent_at, body["withdrawal_id"])
        await client.post(WITHDRAW, json=body)
        assert first
        assert await database.value(sent_at, body["withdrawal_id"]) == first
