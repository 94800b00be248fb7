"""A batch answered line by line: what is known goes out, what is slow holds up nobody."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from settlement_helpers import (
    ACCOUNT,
    BATCH,
    PAYOUTS,
    TOKEN,
    Process,
    TestDatabase,
    assert_problem,
    process,
    settings_for,
    withdrawal,
)
from starlette.types import Message, Scope

from settlement.api.middleware import RequestMiddleware
from settlement.main import build_app
from settlement.payouts.service import PayoutService
from settlement.request_log import RequestLog

LINES = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def service(database: TestDatabase) -> Any:
    with process(database.environ(SANDBOX_SLOW_SECONDS="0.8")) as started:
        started.wait_until_serving()
        yield started


def chunks_of(service: Process, body: dict[str, Any]) -> list[tuple[float, list[dict[str, Any]]]]:
    """What was sent in one chunk each, and after how many seconds it was here."""
    began, chunks = time.monotonic(), []
    with service.client.stream("POST", BATCH, json=body, headers=LINES) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        assert answer.headers["Transfer-Encoding"] == "chunked"
        for chunk in answer.iter_raw():
            assert chunk.endswith(b"\n")
            chunks.append((time.monotonic() - began, [json.loads(line) for line in chunk.splitlines()]))
    return chunks


def told(chunks: list[tuple[float, list[dict[str, Any]]]]) -> list[tuple[str, str]]:
    return [(line["withdrawal_id"], line["state"]) for _, lines in chunks for line in lines]


class TestLines:
    def test_of_a_batch_without_slow_members_are_one_chunk(self, service: Process) -> None:
        bodies = [withdrawal() for _ in range(20)]
        [(_, lines)] = chunks_of(service, {"withdrawals": bodies})
        assert sorted(line["withdrawal_id"] for line in lines) == sorted(body["withdrawal_id"] for body in bodies)
        assert {line["state"] for line in lines} == {"paid"}

    def test_are_the_elements_of_the_whole_answer(self, service: Process) -> None:
        bodies = [withdrawal(account=account) for account in (ACCOUNT, "IRTESTREFUSED1")]
        streamed = chunks_of(service, {"withdrawals": bodies})
        whole = service.client.post(BATCH, json={"withdrawals": bodies}).json()["results"]
        lines = {line["withdrawal_id"]: line for _, lines in streamed for line in lines}
        assert [lines[body["withdrawal_id"]] for body in bodies] == whole

    def test_of_the_quick_are_here_long_before_the_slow_ones(self, service: Process) -> None:
        slow, quick = withdrawal(account="IRTESTSLOW1"), [withdrawal() for _ in range(10)]
        chunks = chunks_of(service, {"withdrawals": [slow, *quick]})
        assert (len(chunks), len(chunks[0][1])) == (2, 10)
        assert chunks[0][0] < 0.4
        assert told(chunks[1:]) == [(slow["withdrawal_id"], "paid")]
        assert chunks[1][0] > 0.7

    def test_of_what_the_bank_left_open_tell_so_without_waiting(self, service: Process) -> None:
        lost, quick = withdrawal(account="IRTESTTIMEOUT1"), withdrawal()
        chunks = chunks_of(service, {"withdrawals": [lost, quick]})
        assert dict(told(chunks)) == {lost["withdrawal_id"]: "pending", quick["withdrawal_id"]: "paid"}
        assert chunks[-1][0] < 0.7

    def test_tell_at_the_deadline_what_is_pending(self, service: Process) -> None:
        slow, quick = [withdrawal(account="IRTESTSLOW1") for _ in range(2)], withdrawal()
        chunks = chunks_of(service, {"deadline_ms": 300, "withdrawals": [*slow, quick]})
        assert told(chunks[:1]) == [(quick["withdrawal_id"], "paid")]
        assert sorted(told(chunks[1:])) == sorted((each["withdrawal_id"], "pending") for each in slow)
        assert 0.25 < chunks[-1][0] < 0.7

    def test_tell_at_once_what_was_known_before(self, service: Process) -> None:
        slow, quick = withdrawal(account="IRTESTSLOW1"), withdrawal()
        chunks_of(service, {"withdrawals": [quick]})
        chunks = chunks_of(service, {"withdrawals": [slow, quick]})
        assert told(chunks) == [(quick["withdrawal_id"], "paid"), (slow["withdrawal_id"], "paid")]
        assert chunks[0][0] < 0.4

    def test_are_one_for_each_different_member(self, service: Process) -> None:
        body = withdrawal()
        chunks = chunks_of(service, {"withdrawals": [body, body, body | {"amount": "2.00"}, body]})
        assert told(chunks) == [(body["withdrawal_id"], "paid"), (body["withdrawal_id"], "conflict")]

    @pytest.mark.parametrize("accept", ["*/*", "application/json", "application/x-ndjson-not", ""])
    async def test_are_sent_to_those_only_who_accept_them(self, client: httpx2.AsyncClient, accept: str) -> None:
        answer = await client.post(BATCH, json={"withdrawals": [withdrawal()]}, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json"

    async def test_may_be_one_of_several_accepted_types(self, client: httpx2.AsyncClient) -> None:
        accept = "Application/X-NDJSON; q=1, application/problem+json"
        answer = await client.post(BATCH, json={"withdrawals": [withdrawal()]}, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/x-ndjson"


class TestAnErrorBeforeTheFirstLine:
    async def test_is_a_problem(self, client: httpx2.AsyncClient) -> None:
        wrong = await client.post(BATCH, json={"withdrawals": [withdrawal(amount=1)]}, headers=LINES)
        assert_problem(wrong, 422, "validation_failed")
        stranger = await client.post(BATCH, json={}, headers=LINES | {"X-Internal-Token": "x"})
        assert_problem(stranger, 403, "internal_token_wrong")

    async def test_of_the_database_is_503(self, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
        async def away(*_: object, **__: object) -> None:
            raise ConnectionRefusedError

        monkeypatch.setattr(PayoutService, "_record_and_claim", away)
        answer = await client.post(BATCH, json={"withdrawals": [withdrawal()]}, headers=LINES)
        assert_problem(answer, 503, "database_unavailable")


class TestAnErrorAfterTheFirstLine:
    async def test_breaks_the_answer_off_and_is_logged_as_an_error(
        self, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begin = PayoutService.begin

        async def broken(*arguments: Any, **named: Any) -> AsyncIterator[Any]:
            groups = await begin(*arguments, **named)

            async def breaks() -> AsyncIterator[Any]:
                yield await anext(groups)
                raise ZeroDivisionError

            return breaks()

        monkeypatch.setattr(PayoutService, "begin", broken)
        sent, log = await asked(database, [withdrawal(), withdrawal(account="IRTESTSLOW1")])
        assert [message.get("more_body") for message in sent] == [None, True]
        assert (sent[0]["status"], log._waiting[-1].status) == (200, 500)


async def asked(database: TestDatabase, bodies: list[dict[str, Any]]) -> tuple[list[Message], RequestLog]:
    """What the service handed to its server before it failed, and its request log."""
    app, log, sent = build_app(settings_for(database)), RequestLog(), []
    headers = {"x-internal-token": TOKEN, "content-type": "application/json", "accept": LINES["Accept"]}
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": BATCH,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": json.dumps({"withdrawals": bodies}).encode(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async with app.router.lifespan_context(app):
        with pytest.raises(ZeroDivisionError):
            await RequestMiddleware(app, log)(scope, receive, send)
    return sent, log


class TestTheRequestLogOfLines:
    async def test_has_one_row_that_spans_the_whole_answer(self, service: Process, database: TestDatabase) -> None:
        request_id = uuid4().hex
        bodies = [withdrawal(), withdrawal(account="IRTESTSLOW1")]
        answer = service.client.post(BATCH, json={"withdrawals": bodies}, headers=LINES | {"X-Request-ID": request_id})
        assert answer.headers["X-Request-ID"] == request_id
        await asyncio.sleep(1)
        [row] = await database.rows("SELECT * FROM request_log WHERE request_id = $1", request_id)
        assert (row["status"], row["withdrawal_count"]) == (200, 2)
        assert row["duration_ms"] > 700


class TestAClientThatHangsUpBetweenLines:
    def test_does_not_stop_the_payouts(self, service: Process) -> None:
        slow = withdrawal(account="IRTESTSLOW1")
        body = json.dumps({"withdrawals": [withdrawal(), slow]}).encode()
        head = (
            f"POST {BATCH} HTTP/1.1\r\nHost: s\r\nX-Internal-Token: {TOKEN}\r\nAccept: {LINES['Accept']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", service.client.base_url.port)) as caller:
            caller.sendall(head.encode() + body)
            assert b" 200 " in caller.recv(65536)
        deadline = time.monotonic() + 10
        while (state := state_of(service, slow)) != "paid" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert state == "paid"


def state_of(service: Process, body: dict[str, Any]) -> str:
    state: str = service.client.get(f"{PAYOUTS}/{body['withdrawal_id']}").json()["state"]
    return state
