import asyncio
import itertools
import logging
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from settlement_helpers import BATCH, PAYOUTS, TOKEN, WITHDRAW, TestDatabase, running, token, withdrawal
from starlette.types import Message, Receive, Scope, Send

from settlement.api.middleware import RequestMiddleware
from settlement.database import Database, open_database
from settlement.request_log import LoggedRequest, RequestLog
from settlement.settings import Settings


async def logged(database: TestDatabase, request_id: str) -> list[asyncpg.Record]:
    for _ in range(40):
        rows = await database.rows("SELECT * FROM request_log WHERE request_id = $1 ORDER BY id", request_id)
        if rows:
            return rows
        await asyncio.sleep(0.05)
    return []


def entry(request_id: str) -> LoggedRequest:
    return LoggedRequest(datetime.now(UTC), "GET", "/", 200, request_id, 1.0, "127.0.0.1", None, 0)


class TestTheRequestsId:
    async def test_is_the_callers_when_it_is_harmless(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get(PAYOUTS, headers={"X-Request-ID": "caller-1.2:3_4"})
        assert answer.headers["X-Request-ID"] == "caller-1.2:3_4"

    @pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb"])
    async def test_is_a_new_one_otherwise(self, client: httpx2.AsyncClient, given: str) -> None:
        answers = [await client.get(PAYOUTS, headers={"X-Request-ID": given}) for _ in range(2)]
        made = {answer.headers["X-Request-ID"] for answer in answers}
        assert len(made) == 2
        assert given not in made

    async def test_is_on_refusals_and_probes_too(self, client: httpx2.AsyncClient) -> None:
        for path in ("/healthz", "/nowhere", PAYOUTS):
            answer = await client.get(path, headers=token("wrong") | {"X-Request-ID": "r"})
            assert answer.headers["X-Request-ID"] == "r"


class TestTheRequestLog:
    async def test_has_a_row_for_a_withdrawal(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        request_id, body = uuid4().hex, withdrawal()
        await client.post(WITHDRAW, json=body, headers={"X-Request-ID": request_id})
        [row] = await logged(database, request_id)
        assert (row["method"], row["path"], row["status"]) == ("POST", WITHDRAW, 200)
        assert (str(row["withdrawal_id"]), row["withdrawal_count"]) == (body["withdrawal_id"], 1)
        assert row["remote_address"] == "127.0.0.1"
        assert 0 < row["duration_ms"] < 10_000
        assert abs((datetime.now(UTC) - row["at"]).total_seconds()) < 10

    async def test_counts_a_batchs_members(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        request_id = uuid4().hex
        bodies = [withdrawal() for _ in range(7)]
        await client.post(BATCH, json={"withdrawals": bodies}, headers={"X-Request-ID": request_id})
        [row] = await logged(database, request_id)
        assert (row["withdrawal_id"], row["withdrawal_count"]) == (None, 7)

    async def test_has_refused_requests_and_never_a_token_or_a_body(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        request_id = uuid4().hex
        query = {"created_from": "secret-of-the-query"}
        for headers in (token(), token("wrong-token")):
            await client.get(PAYOUTS, params=query, headers=headers | {"X-Request-ID": request_id})
        await client.post(
            WITHDRAW, json=withdrawal(account="IRTEST777", amount=1), headers={"X-Request-ID": request_id}
        )
        await asyncio.sleep(0.6)
        rows = await logged(database, request_id)
        assert [row["status"] for row in rows] == [422, 403, 422]
        everything = str([dict(row) for row in rows])
        for secret in (TOKEN, "wrong-token", "IRTEST777", "secret-of-the-query"):
            assert secret not in everything

    async def test_bears_paths_that_postgresql_does_not(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        request_id = uuid4().hex
        await client.get("/a%00b%0Ac%FF" + "x" * 2000, headers={"X-Request-ID": request_id})
        [row] = await logged(database, request_id)
        assert row["path"].startswith("/a?b?c?x")
        assert len(row["path"]) == 300

    async def test_leaves_the_probes_out(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        request_id = uuid4().hex
        for path in ("/healthz", "/readyz", PAYOUTS):
            await client.get(path, headers={"X-Request-ID": request_id})
        assert [row["path"] for row in await logged(database, request_id)] == [PAYOUTS]

    async def test_is_written_to_the_end_at_shutdown(self, settings: Settings, database: TestDatabase) -> None:
        request_id = uuid4().hex
        async with running(settings) as client:
            for _ in range(5):
                await client.get(PAYOUTS, headers={"X-Request-ID": request_id})
        rows = await database.rows("SELECT FROM request_log WHERE request_id = $1", request_id)
        assert len(rows) == 5


class TestAFullQueue:
    async def test_drops_what_is_over_and_warns_once_with_the_count(
        self, settings: Settings, database: TestDatabase, caplog: pytest.LogCaptureFixture
    ) -> None:
        request_id, log = uuid4().hex, RequestLog(capacity=3)
        for _ in range(5):
            log.add(entry(request_id))
        async with open_database(settings) as opened:
            with caplog.at_level(logging.WARNING):
                await log.close(opened)
        assert [record.message for record in caplog.records] == ["2 request log entries were dropped"]
        assert await database.value("SELECT count(*) FROM request_log WHERE request_id = $1", request_id) == 3


class TestALogWhoseDatabaseIsAway:
    async def test_keeps_the_entries_in_order_and_writes_them_later(
        self, settings: Settings, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        request_id, log = uuid4().hex, RequestLog()
        paths = [f"{request_id}-{n}" for n in range(3)]
        for each in paths:
            log.add(entry(each))
        async with open_database(settings) as opened:
            with monkeypatch.context() as away:
                away.setattr(Database, "copy_in", _refused)
                with pytest.raises(ConnectionRefusedError):
                    await log.flush(opened)
            await log.flush(opened)
        assert await written(database, request_id) == paths


class TestAnEntryThatTheDatabaseRefuses:
    @pytest.mark.parametrize(
        "wrong",
        [{"path": "a\0b"}, {"path": "\udcff"}, {"path": None}, {"path": 7}, {"status": 40_000}, {"status": 2**40}],
        ids=range(6),
    )
    async def test_is_dropped_with_one_line_and_the_others_are_written(
        self, settings: Settings, database: TestDatabase, caplog: pytest.LogCaptureFixture, wrong: dict[str, Any]
    ) -> None:
        prefix, log = uuid4().hex, RequestLog()
        for n in range(4):
            log.add(entry(f"{prefix}-{n}")._replace(**wrong if n == 1 else {}))
        async with open_database(settings) as opened:
            with caplog.at_level(logging.WARNING):
                await log.flush(opened)
                await log.flush(opened)
        [line] = [record.message for record in caplog.records]
        assert line.startswith(f"the request log entry of {prefix}-1 was refused and dropped: ")
        assert await written(database, prefix) == [f"{prefix}-{n}" for n in (0, 2, 3)]

    async def test_does_not_stop_the_log(self, settings: Settings, database: TestDatabase) -> None:
        prefix, log = uuid4().hex, RequestLog()
        async with open_database(settings) as opened:
            writing = asyncio.create_task(log.write_forever(opened))
            log.add(entry(f"{prefix}-0")._replace(path="a\0b"))
            await asyncio.sleep(0.7)
            log.add(entry(f"{prefix}-1"))
            assert await logged(database, f"{prefix}-1")
            writing.cancel()

    async def test_among_others_leaves_the_rest_waiting_when_the_database_goes_away(
        self, settings: Settings, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prefix, log = uuid4().hex, RequestLog()
        for n in range(3):
            log.add(entry(f"{prefix}-{n}")._replace(**{"path": "a\0b"} if n == 0 else {}))
        copy_in, calls = Database.copy_in, itertools.count(1)

        async def away_at_the_third(*arguments: Any) -> None:
            if next(calls) == 3:  # after the batch and the bad entry
                raise ConnectionRefusedError
            await copy_in(*arguments)

        monkeypatch.setattr(Database, "copy_in", away_at_the_third)
        async with open_database(settings) as opened:
            with pytest.raises(ConnectionRefusedError):
                await log.flush(opened)
            await log.flush(opened)
        assert await written(database, prefix) == [f"{prefix}-1", f"{prefix}-2"]


async def test_an_address_that_is_none_is_cut_and_printable() -> None:
    log = RequestLog()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def ignore(_: Message) -> None:
        """Nobody listens."""

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": ("\0\udcff" + "x" * 999, 1)}
    with mock.patch.object(log, "add") as add:
        await RequestMiddleware(app, log)(scope, mock.AsyncMock(), ignore)
    assert add.call_args.args[0].remote_address == "??" + "x" * 62


async def written(database: TestDatabase, prefix: str) -> list[str]:
    rows = await database.rows("SELECT request_id FROM request_log WHERE request_id LIKE $1 ORDER BY id", f"{prefix}-%")
    return [row["request_id"] for row in rows]


async def _refused(*_: object) -> None:
    raise ConnectionRefusedError
