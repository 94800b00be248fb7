"""One test per cell of the table of key states, and what the table does not say."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from core.rate_limits import MerchantRateLimit
from etebar_common.problems import RateLimited
from payments.idempotency.table import CELLS, CURRENT_STATE, REPLAY_OF_FIRST, Cell
from payments.models import IdempotencyKey, Merchant, Withdrawal
from payments.tests.factories import (
    client_of,
    fund_pool,
    make_merchant,
    make_staff,
    merchant_client,
    staff_client,
    unique_name,
    withdraw,
)
from payments.tests.other_connection import holding_key
from payments.withdrawals import pipeline

pytestmark = pytest.mark.usefixtures("books")

KEY = "the-key"
FIRST, OTHER = "1.00", "2.00"


class Situation:
    """A merchant, and how its key gets into each state."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.account = "IRTEST0000000000001"
        self.limit = "100.00"

    def prepare(self, state: str) -> Any:
        """Brings the key into the state; returns the first answer, if there is one."""
        if state == "failed":
            self.account = "IRTESTREFUSED0000001"
        if state == "refused":
            self.limit = "0.50"
        fund_pool()
        self.merchant: Merchant = make_merchant(limit=self.limit, account=self.account)
        self.client: APIClient = merchant_client(self.merchant)
        return self._acts()[state]() if state in self._acts() else None

    def _acts(self) -> dict[str, Callable[[], Any]]:
        return {
            "pending": lambda: withdraw(self.client, FIRST, KEY, Prefer="respond-async"),
            "settled": lambda: withdraw(self.client, FIRST, KEY),
            "failed": lambda: withdraw(self.client, FIRST, KEY),
            "refused": lambda: withdraw(self.client, FIRST, KEY),
            "ended in 400": self.malformed,
            "ended in 401": lambda: withdraw(APIClient(), FIRST, KEY),
            "ended in 403": lambda: withdraw(client_of(self.merchant.user), FIRST, KEY),
            "ended in 422": lambda: withdraw(self.client, "1.005", KEY),
            "ended in 429": self.limited,
            "ended in 5xx": self.database_away,
        }

    def malformed(self) -> Any:
        headers = {"Idempotency-Key": KEY}
        return self.client.post("/api/v1/withdrawals", b"{", content_type="application/json", headers=headers)

    def limited(self) -> Any:
        def refuse(*_: object) -> bool:
            raise RateLimited(headers={"Retry-After": "1"})

        with self.monkeypatch.context() as patch:
            patch.setattr(MerchantRateLimit, "allow_request", refuse)
            return withdraw(self.client, FIRST, KEY)

    def database_away(self) -> Any:
        def fail(*_: object) -> None:
            raise OperationalError("the database is away")

        with self.monkeypatch.context() as patch:
            patch.setattr(pipeline, "reserve", fail)
            return withdraw(self.client, FIRST, KEY)


@pytest.fixture
def situation(monkeypatch: pytest.MonkeyPatch) -> Situation:
    return Situation(monkeypatch)


def cell_name(cell: Cell) -> str:
    return f"{cell.state}, {'another' if cell.other else 'the same'} request"


def ask(situation: Situation, cell: Cell) -> Any:
    amount = OTHER if cell.other else FIRST
    if cell.state == "missing on withdrawals":
        return situation.client.post("/api/v1/withdrawals", {"amount": amount}, format="json")
    if cell.state == "running":
        first = {"amount": FIRST}
        with holding_key(f"user:{situation.merchant.user_id}", KEY, first):
            assert situation.client.get(f"/api/v1/idempotency-keys?key={KEY}").json()["state"] == "running"
            return withdraw(situation.client, amount, KEY)
    return withdraw(situation.client, amount, KEY)


@pytest.mark.parametrize("cell", CELLS, ids=cell_name)
def test_the_table_of_key_states(situation: Situation, cell: Cell) -> None:
    first = situation.prepare(cell.state)
    if cell.explained_as and cell.state != "running":
        explained = situation.client.get(f"/api/v1/idempotency-keys?key={KEY}").json()
        assert explained["state"] == cell.explained_as
        assert explained["path"] == "/api/v1/withdrawals"
    if cell.status is None:
        expected = cell.state.removeprefix("ended in ")
        assert (
            str(first.status_code)[0 if expected == "5xx" else slice(None)]
            == expected[0 if expected == "5xx" else slice(None)]
        )
        assert situation.client.get(f"/api/v1/idempotency-keys?key={KEY}").status_code == 404
    answer = ask(situation, cell)
    assert answer.status_code == (cell.status or 201), answer.content
    assert (answer.headers.get("Idempotency-Replayed") == "true") is cell.replayed
    if cell.code:
        assert answer.json()["code"] == cell.code
    if cell.body == REPLAY_OF_FIRST:
        assert answer.content == first.content
    if cell.body == CURRENT_STATE:
        assert answer.json()["state"] == "pending"
        assert answer.headers["Location"] == f"/api/v1/withdrawals/{first.json()['id']}"
    if cell.code == "idempotency_key_reused" and cell.state != "running":
        assert answer.json()["differs"] == ["amount"]
    if cell.code == "request_in_progress":
        assert int(answer.headers["Retry-After"]) >= 1
    assert Withdrawal.objects.count() == (0 if cell.state in {"missing on withdrawals", "running", "refused"} else 1)


class TestKeysOfWithdrawals:
    def test_the_bare_and_the_quoted_form_are_the_same_key(self) -> None:
        fund_pool()
        client = merchant_client(make_merchant())
        first = withdraw(client, key='a "quoted" key')
        again = withdraw(client, key='"a \\"quoted\\" key"')
        assert first.status_code == again.status_code == 201
        assert again.headers["Idempotency-Replayed"] == "true"
        assert first.content == again.content

    def test_amounts_that_are_equal_are_the_same_request(self) -> None:
        fund_pool()
        client = merchant_client(make_merchant())
        assert withdraw(client, "1.5", KEY).content == withdraw(client, "1.50", KEY).content

    def test_two_merchants_may_use_the_same_key(self) -> None:
        fund_pool()
        ids = {withdraw(merchant_client(make_merchant()), key=KEY).json()["id"] for _ in range(2)}
        assert len(ids) == 2

    @pytest.mark.parametrize("key", ["", " ", "x" * 256, "caf\u00e9", "tab\tinside", '"open', '"a"b"', '""'])
    def test_what_is_no_key_is_refused(self, key: str) -> None:
        client = merchant_client(make_merchant())
        headers = {"Idempotency-Key": key}
        answer = client.post("/api/v1/withdrawals", {"amount": "1.00"}, format="json", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")

    def test_a_pending_key_gives_the_final_answer_once_its_withdrawal_is_final(self) -> None:
        from payments.dispatch.services import dispatch_due

        fund_pool()
        client = merchant_client(make_merchant())
        assert withdraw(client, key=KEY, Prefer="respond-async").status_code == 202
        assert dispatch_due() == 1
        final = withdraw(client, key=KEY)
        assert (final.status_code, final.json()["state"]) == (201, "settled")
        assert withdraw(client, key=KEY).content == final.content


class TestKeysOfOtherPosts:
    def test_a_top_up_with_a_key_happens_once(self) -> None:
        client = staff_client()
        answers = [
            client.post("/api/v1/admin/pool/topup", {"amount": "5.00"}, format="json", headers={"Idempotency-Key": KEY})
            for _ in range(2)
        ]
        assert answers[0].content == answers[1].content
        assert answers[1].headers["Idempotency-Replayed"] == "true"
        assert client.get("/api/v1/admin/pool").json()["available_amount"] == "5.00"

    def test_without_a_key_it_happens_each_time(self) -> None:
        client = staff_client()
        for _ in range(2):
            client.post("/api/v1/admin/pool/topup", {"amount": "5.00"}, format="json")
        assert client.get("/api/v1/admin/pool").json()["available_amount"] == "10.00"

    def test_another_request_under_the_key_is_refused_naming_what_differs(self) -> None:
        client = staff_client()
        headers = {"Idempotency-Key": KEY}
        client.post("/api/v1/admin/pool/topup", {"amount": "5.00"}, format="json", headers=headers)
        other = client.post("/api/v1/admin/pool/topup", {"amount": "6.00"}, format="json", headers=headers)
        assert (other.status_code, other.json()["differs"]) == (422, ["amount"])
        merchant = make_merchant(approved=False)
        elsewhere = client.post("/api/v1/admin/refuse", {"merchant_id": merchant.pk}, format="json", headers=headers)
        assert {"amount", "merchant_id", "path"} <= set(elsewhere.json()["differs"])

    def test_a_registration_is_replayed_and_its_password_is_not_stored(self) -> None:
        body = {
            "username": unique_name(),
            "password": "secret-password",
            "requested_credit": "1.00",
            "bank_account": "IRTEST01",
        }
        answers = [
            APIClient().post("/api/v1/auth/register", body, format="json", headers={"Idempotency-Key": KEY})
            for _ in range(2)
        ]
        assert answers[0].status_code == 201
        assert answers[0].content == answers[1].content
        stored = IdempotencyKey.objects.get()
        assert "secret-password" not in f"{stored.request}{stored.body}"

    def test_a_refusal_is_stored_and_replayed(self) -> None:
        client = staff_client()
        merchant = make_merchant()
        headers = {"Idempotency-Key": KEY}
        body = {"merchant_id": merchant.pk, "credit_limit": "5.00"}
        first, second = (client.post("/api/v1/admin/approve", body, format="json", headers=headers) for _ in range(2))
        assert (first.status_code, first.json()["code"]) == (409, "merchant_state_conflict")
        assert second.content == first.content
        assert second.headers["Idempotency-Replayed"] == "true"

    def test_a_missing_merchant_leaves_the_key_free(self) -> None:
        client = staff_client()
        headers = {"Idempotency-Key": KEY}
        missing = client.post("/api/v1/admin/refuse", {"merchant_id": 999_999}, format="json", headers=headers)
        assert missing.status_code == 404
        merchant = make_merchant(approved=False)
        body = {"merchant_id": merchant.pk}
        assert client.post("/api/v1/admin/refuse", body, format="json", headers=headers).status_code == 200

    def test_while_it_runs_the_same_request_waits_and_another_is_refused(self) -> None:
        staff = make_staff()
        client = client_of(staff)
        headers = {"Idempotency-Key": KEY}
        path = "/api/v1/admin/pool/topup"
        with holding_key(f"user:{staff.pk}", KEY, {"amount": "5.00"}, path=path):
            same = client.post(path, {"amount": "5.00"}, format="json", headers=headers)
            other = client.post(path, {"amount": "6.00"}, format="json", headers=headers)
        assert (same.status_code, same.json()["code"]) == (409, "request_in_progress")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_the_explain_route_knows_only_the_callers_own_keys() -> None:
    fund_pool()
    mine = merchant_client(make_merchant())
    withdraw(mine, key=KEY)
    stranger = merchant_client(make_merchant())
    answer = stranger.get(f"/api/v1/idempotency-keys?key={KEY}")
    assert (answer.status_code, answer.json()["code"]) == (404, "idempotency_key_unknown")
