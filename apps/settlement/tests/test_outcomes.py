"""An outcome that people decided is brought to the payout once, and never against what is known of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from settlement_helpers import (
    BATCH,
    FINGERPRINT_KEY,
    PAYOUTS,
    WITHDRAW,
    TestDatabase,
    assert_problem,
    fields_of,
    order,
    running,
    settings_for,
    withdrawal,
)
from test_leases import leave_behind

from etebar_common.fingerprint import account_fingerprint
from settlement.database import open_database
from settlement.payouts.records import Claim
from settlement.payouts.store import PayoutStore
from settlement.rails.base import PAID
from settlement.settings import Settings


def decided(body: dict[str, Any], outcome: str, **changes: Any) -> dict[str, Any]:
    """A decision about the payout that `body` orders."""
    about = {name: body[name] for name in ("merchant_id", "account_id", "amount")}
    fingerprint = account_fingerprint(body["account"], FINGERPRINT_KEY.encode())
    return {**about, "account_fingerprint": fingerprint, "outcome": outcome, "evidence": str(uuid4()), **changes}


async def bring(client: httpx2.AsyncClient, body: dict[str, Any], decision: dict[str, Any]) -> httpx2.Response:
    return await client.post(f"{PAYOUTS}/{body['withdrawal_id']}/outcome", json=decision)


async def pay_calls(database: TestDatabase, body: dict[str, Any]) -> int:
    transfer = await database.transfer(body["withdrawal_id"])
    return transfer["pay_calls"] if transfer else 0


class TestAPendingPayout:
    @pytest.mark.parametrize(("outcome", "reason"), [("paid", None), ("refused", "decided_by_staff")])
    async def test_is_concluded_as_decided_and_the_rail_is_not_called(
        self, client: httpx2.AsyncClient, database: TestDatabase, outcome: str, reason: str | None
    ) -> None:
        body = withdrawal(account="IRTESTDOWN1")
        assert (await client.post(WITHDRAW, json=body)).json()["state"] == "pending"
        decision, calls = decided(body, outcome), await pay_calls(database, body)
        answer = await bring(client, body, decision)
        members = answer.json()
        assert (answer.status_code, members["state"], members["reason"]) == (200, outcome, reason)
        assert members["evidence"] == decision["evidence"]
        assert (await client.post(WITHDRAW, json=body)).json()["state"] == outcome
        assert await pay_calls(database, body) == calls

    async def test_under_a_lease_stays_pending_until_the_lease_is_over(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal()
        await leave_behind(database, body, timedelta(minutes=1))
        decision = decided(body, "refused")
        answer = await bring(client, body, decision)
        assert (answer.status_code, answer.json()["state"]) == (202, "pending")
        await database.expire_lease(body["withdrawal_id"])
        assert (await bring(client, body, decision)).json()["state"] == "refused"

    async def test_is_not_changed_by_the_rails_answer_that_comes_after_the_decision(
        self, settings: Settings, client: httpx2.AsyncClient
    ) -> None:
        ordered = order(account_fingerprint=account_fingerprint("IRTESTDOWN1", FINGERPRINT_KEY.encode()))
        body = {
            "withdrawal_id": str(ordered.withdrawal_id),
            "merchant_id": ordered.merchant_id,
            "account_id": str(ordered.account_id),
            "amount": "1.00",
            "account": "IRTESTDOWN1",
        }
        async with open_database(settings) as opened:
            store = PayoutStore(opened, "sandbox", lease_seconds=0)
            [payout] = (await store.record([ordered])).values()
            assert (await bring(client, body, decided(body, "refused"))).json()["state"] == "refused"
            assert await store.conclude([Claim(ordered, payout, fresh=True)], {ordered.reference: PAID}) == {}
            assert (await store.find([ordered.withdrawal_id]))[ordered.withdrawal_id].state == "refused"


class TestAPayoutThatWasNeverOrdered:
    @pytest.mark.parametrize("path", [WITHDRAW, BATCH])
    async def test_is_never_paid_by_an_order_that_comes_late(
        self, client: httpx2.AsyncClient, database: TestDatabase, path: str
    ) -> None:
        body = withdrawal()
        assert (await bring(client, body, decided(body, "refused"))).json()["state"] == "refused"
        answer = await client.post(path, json=body if path == WITHDRAW else {"withdrawals": [body]})
        found = answer.json() if path == WITHDRAW else answer.json()["results"][0]
        assert (found["state"], found["reason"]) == ("refused", "decided_by_staff")
        assert await pay_calls(database, body) == 0

    async def test_is_recorded_as_paid_when_that_is_what_was_decided(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal()
        assert (await bring(client, body, decided(body, "paid"))).json()["state"] == "paid"
        assert (await client.post(WITHDRAW, json=body)).json()["state"] == "paid"
        assert await pay_calls(database, body) == 0


class TestADecidedPayout:
    async def test_keeps_its_own_outcome(self, client: httpx2.AsyncClient) -> None:
        body = withdrawal()
        await client.post(WITHDRAW, json=body)
        answer = await bring(client, body, decided(body, "refused"))
        assert (answer.status_code, answer.json()["state"], answer.json()["evidence"]) == (200, "paid", None)

    async def test_answers_the_same_decision_again(self, client: httpx2.AsyncClient) -> None:
        body = withdrawal()
        decision = decided(body, "refused")
        first = await bring(client, body, decision)
        assert (await bring(client, body, decision)).json() == first.json()


class TestADecisionAboutSomethingElse:
    @pytest.mark.parametrize(
        ("field", "value", "named"),
        [
            ("amount", "2.00", "amount"),
            ("merchant_id", 8, "merchant_id"),
            ("account_fingerprint", "0" * 64, "account"),
            ("account_id", "6f2b9f4c-0000-4000-8000-000000000000", "account_id"),
        ],
    )
    async def test_is_a_conflict_and_concludes_nothing(
        self, client: httpx2.AsyncClient, field: str, value: object, named: str
    ) -> None:
        body = withdrawal(account="IRTESTDOWN1")
        await client.post(WITHDRAW, json=body)
        problem = assert_problem(
            await bring(client, body, decided(body, "refused", **{field: value})), 409, "payout_conflict"
        )
        assert problem["differs"] == [named]
        assert (await client.get(f"{PAYOUTS}/{body['withdrawal_id']}")).json()["state"] == "pending"

    async def test_that_is_no_decision_is_refused(self, client: httpx2.AsyncClient) -> None:
        body = withdrawal()
        answer = await bring(client, body, decided(body, "pending", evidence=""))
        assert sorted(fields_of(assert_problem(answer, 422, "validation_failed"))) == ["evidence", "outcome"]

    async def test_without_the_token_is_not_let_in(self, database: TestDatabase) -> None:
        body = withdrawal()
        async with running(settings_for(database)) as client:
            client.headers.pop("X-Internal-Token")
            assert_problem(await bring(client, body, decided(body, "paid")), 401, "internal_token_missing")
