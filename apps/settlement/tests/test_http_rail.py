import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from bank_server import Bank, bank_server
from settlement_helpers import ACCOUNT, BATCH, WITHDRAW, TestDatabase, running, settings_for, withdrawal

from settlement.rails.base import Transfer, Verdict
from settlement.rails.http_rail import HttpRail

REFERENCE = "8a0f4f5c-0000-4000-8000-000000000000"
TRANSFER = Transfer(REFERENCE, Decimal("1.00"), ACCOUNT)


@pytest.fixture
def bank() -> Iterator[Bank]:
    with bank_server() as started:
        yield started


@pytest.fixture
async def rail(bank: Bank) -> AsyncIterator[HttpRail]:
    opened = HttpRail(bank.url, "bank-token", timeout_seconds=0.5)
    yield opened
    await opened.close()


@pytest.fixture
async def client(bank: Bank, database: TestDatabase) -> AsyncIterator[httpx2.AsyncClient]:
    async with running(settings_for(database, **through(bank), bank_timeout_seconds=0.5)) as started:
        yield started


def through(bank: Bank) -> dict[str, str]:
    """Settlement's settings for this bank."""
    return {"rail": "http", "bank_url": bank.url, "bank_token": "bank-token"}


def body(**changes: Any) -> bytes:
    return json.dumps({"reference": REFERENCE, "amount": "1.00", "status": "paid"} | changes).encode()


class TestAnOrder:
    async def test_is_sent_as_documented(self, bank: Bank, rail: HttpRail) -> None:
        assert (await rail.pay(TRANSFER)).verdict is Verdict.PAID
        [(method, headers, order)] = bank.requests
        assert method == "POST"
        assert order == {"reference": REFERENCE, "amount": "1.00", "account": ACCOUNT}
        assert headers["Idempotency-Key"] == REFERENCE
        assert headers["Authorization"] == "Bearer bank-token"

    async def test_names_the_currency_when_one_is_set(self, bank: Bank) -> None:
        rail = HttpRail(bank.url, "t", 1, currency="IRR")
        await rail.pay(TRANSFER)
        await rail.close()
        assert bank.requests[0][2]["currency"] == "IRR"


class TestADefiniteAnswer:
    async def test_that_it_was_refused_has_its_reason(self, bank: Bank, rail: HttpRail) -> None:
        bank.refuses_with = "account_closed"
        outcome = await rail.pay(TRANSFER)
        assert (outcome.verdict, outcome.reason) == (Verdict.REFUSED, "account_closed")
        assert await rail.status(TRANSFER) == outcome

    async def test_may_be_a_refusal_by_422(self, bank: Bank, rail: HttpRail) -> None:
        bank.answers_post_with = (422, body(status="refused", reason="no_such_account"))
        outcome = await rail.pay(TRANSFER)
        assert (outcome.verdict, outcome.reason) == (Verdict.REFUSED, "no_such_account")

    async def test_to_the_question_may_be_that_it_was_never_seen(self, rail: HttpRail) -> None:
        assert (await rail.status(TRANSFER)).verdict is Verdict.NOT_FOUND


NOT_UNDERSTOOD = [
    (500, b""),
    (500, body()),
    (503, body(status="refused", reason="closed")),
    (302, body()),
    (202, body()),
    (202, body(status="pending")),
    (200, b""),
    (200, b"<html>paid</html>"),
    (200, b"[]"),
    (200, b'"paid"'),
    (200, b"[" * 50_000),
    (200, b" " * 100_000 + body()),
    (200, body(status="PAID")),
    (200, body(status=None)),
    (200, body(reference="another")),
    (200, body(amount="2.00")),
    (200, body(amount=1.0)),
    (200, body(amount=None)),
    (200, body(status="not_found")),
    (200, body(status="refused")),
    (200, body(status="refused", reason="Because!")),
    (200, body(status="refused", reason=7)),
    (400, body(status="refused", reason="bad")),
    (401, b"{}"),
    (422, body()),
    (422, b"{}"),
    (429, b"{}"),
]


NOT_THE_BANKS_404 = [
    b"",
    b"{}",
    b"[]",
    b"<html>404 Not Found</html>",
    b'{"detail": "Not Found"}',
    b'{"status": "not_found"}',
    body(),
    body(status="refused", reason="closed"),
    body(reference="another", status="not_found"),
    body(reference=None, status="not_found"),
    body(status="NOT_FOUND"),
]


class TestAnyOtherAnswer:
    @pytest.mark.parametrize(("status", "content"), NOT_UNDERSTOOD, ids=range(len(NOT_UNDERSTOOD)))
    async def test_is_an_unknown_outcome(self, bank: Bank, rail: HttpRail, status: int, content: bytes) -> None:
        bank.answers_post_with = bank.answers_get_with = (status, content)
        assert (await rail.pay(TRANSFER)).verdict is Verdict.UNKNOWN
        assert (await rail.status(TRANSFER)).verdict is Verdict.UNKNOWN

    async def test_of_404_to_an_order_is_unknown_too(self, bank: Bank, rail: HttpRail) -> None:
        bank.answers_post_with = (404, body(status="not_found"))
        assert (await rail.pay(TRANSFER)).verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize("content", NOT_THE_BANKS_404, ids=range(len(NOT_THE_BANKS_404)))
    async def test_of_404_to_the_question_may_be_a_gateways_and_is_unknown(
        self, bank: Bank, rail: HttpRail, content: bytes
    ) -> None:
        bank.answers_get_with = (404, content)
        assert (await rail.status(TRANSFER)).verdict is Verdict.UNKNOWN

    async def test_that_comes_too_late_is_unknown(self, bank: Bank, rail: HttpRail) -> None:
        bank.seconds_before_answer = 0.8
        assert (await rail.pay(TRANSFER)).verdict is Verdict.UNKNOWN

    async def test_that_never_comes_is_unknown(self) -> None:
        rail = HttpRail("http://127.0.0.1:1", "t", 1)
        assert (await rail.pay(TRANSFER)).verdict is Verdict.UNKNOWN
        assert (await rail.status(TRANSFER)).verdict is Verdict.UNKNOWN
        await rail.close()


class TestPayingThroughTheBank:
    async def test_pays_once_however_often_it_is_asked(self, bank: Bank, client: httpx2.AsyncClient) -> None:
        ordered = withdrawal()
        answers = await asyncio.gather(*(client.post(WITHDRAW, json=ordered) for _ in range(20)))
        assert {answer.json()["state"] for answer in answers} == {"paid"}
        assert len(bank.requests) == 1

    async def test_after_a_lost_answer_asks_before_it_sends(self, bank: Bank, client: httpx2.AsyncClient) -> None:
        ordered = withdrawal()
        bank.answers_post_with = (500, b"")
        assert (await client.post(WITHDRAW, json=ordered)).status_code == 202
        bank.answers_post_with = None
        assert (await client.post(WITHDRAW, json=ordered)).json()["state"] == "paid"
        assert [request[0] for request in bank.requests] == ["POST", "GET"]

    async def test_sends_the_same_reference_again_only_if_the_bank_never_saw_it(
        self, bank: Bank, client: httpx2.AsyncClient
    ) -> None:
        ordered = withdrawal()
        bank.pays, bank.answers_post_with = False, (500, b"")
        assert (await client.post(WITHDRAW, json=ordered)).json()["state"] == "pending"
        bank.answers_get_with = (500, b"")
        assert (await client.post(WITHDRAW, json=ordered)).json()["state"] == "pending"
        assert [request[0] for request in bank.requests] == ["POST", "GET"]
        bank.pays, bank.answers_post_with, bank.answers_get_with = True, None, None
        assert (await client.post(WITHDRAW, json=ordered)).json()["state"] == "paid"
        assert [request[0] for request in bank.requests] == ["POST", "GET", "GET", "POST"]
        sent = [headers["Idempotency-Key"] for method, headers, _ in bank.requests if method == "POST"]
        assert sent == [ordered["withdrawal_id"]] * 2

    async def test_neither_decides_nor_sends_again_on_a_question_answered_by_a_gateway_or_about_another_amount(
        self, bank: Bank, client: httpx2.AsyncClient
    ) -> None:
        ordered = withdrawal()
        bank.answers_post_with = (500, b"")
        await client.post(WITHDRAW, json=ordered)
        another = body(reference=ordered["withdrawal_id"], amount="2.00")
        for answer in ((404, b"<html>no such route</html>"), (200, another)):
            bank.answers_get_with = answer
            assert (await client.post(WITHDRAW, json=ordered)).json()["state"] == "pending"
        assert [request[0] for request in bank.requests] == ["POST", "GET", "GET"]

    async def test_of_a_batch_pays_each_member_once(self, bank: Bank, database: TestDatabase) -> None:
        bodies = [withdrawal() for _ in range(50)]
        # a thread for each of them: on a busy machine the last one is answered late
        async with running(settings_for(database, **through(bank), bank_timeout_seconds=8.0)) as client:
            answer = await client.post(BATCH, json={"withdrawals": bodies, "deadline_ms": 9000})
        assert {result["state"] for result in answer.json()["results"]} == {"paid"}
        assert sorted(bank.transfers) == sorted(each["withdrawal_id"] for each in bodies)
        assert len(bank.requests) == 50
