import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from settlement_helpers import (
    BATCH,
    PAYOUTS,
    WITHDRAW,
    TestDatabase,
    assert_problem,
    fields_of,
    running,
    settings_for,
    withdrawal,
)

from settlement.payouts.store import PayoutStore

JSON = {"Content-Type": "application/json"}

WRONG = [
    ("amount", 1),
    ("amount", 1.0),
    ("amount", True),
    ("amount", None),
    ("amount", "0"),
    ("amount", "0.00"),
    ("amount", "-1.00"),
    ("amount", "+1.00"),
    ("amount", "1.000"),
    ("amount", "1e3"),
    ("amount", "01.00"),
    ("amount", " 1.00"),
    ("amount", "1.00\n"),
    ("amount", "NaN"),
    ("amount", "١٫٠٠"),
    ("amount", "1000000000000000000.00"),
    ("merchant_id", 0),
    ("merchant_id", -1),
    ("merchant_id", "7"),
    ("merchant_id", 7.5),
    ("merchant_id", True),
    ("merchant_id", 2**53),
    ("account_id", "7"),
    ("account_id", "{8a0f4f5c-0000-4000-8000-000000000000}"),
    ("account_id", "8a0f4f5c000040008000000000000000"),
    ("withdrawal_id", 7),
    ("withdrawal_id", "urn:uuid:8a0f4f5c-0000-4000-8000-000000000000"),
    ("account", ""),
    ("account", 7),
    ("account", "IRTEST1\u0000"),
    ("account", "IRTEST1\n"),
    ("account", "IRTEST\u00001"),
    ("account", "IRTEST\t1"),
    ("account", "IRTEST\u20281"),
    ("account", "IRTEST\ud8001"),
    ("account", "IRTEST" + "1" * 29),
    ("account", "I" * 65),
    ("account", "GB00BUKB20201555555555"),
    ("account", "not an account"),
]


class TestAWithdrawal:
    @pytest.mark.parametrize(("field", "value"), WRONG)
    async def test_with_a_wrong_value_is_422_naming_the_field_and_pays_nothing(
        self, client: httpx2.AsyncClient, database: TestDatabase, field: str, value: Any
    ) -> None:
        body = withdrawal() | {field: value}
        known = body["withdrawal_id"] if field != "withdrawal_id" else str(uuid4())
        answer = await client.post(WITHDRAW, content=json.dumps(body), headers=JSON)
        assert fields_of(assert_problem(answer, 422, "validation_failed")) == [field]
        assert await database.transfer(known) is None

    @pytest.mark.parametrize(("field", "value"), WRONG)
    async def test_with_a_wrong_value_is_told_the_same_as_a_member_of_a_batch(
        self, client: httpx2.AsyncClient, field: str, value: Any
    ) -> None:
        body = withdrawal() | {field: value}
        alone = await client.post(WITHDRAW, content=json.dumps(body), headers=JSON)
        listed = await client.post(BATCH, content=json.dumps({"withdrawals": [withdrawal(), body]}), headers=JSON)
        [error] = assert_problem(alone, 422, "validation_failed")["errors"]
        [as_member] = assert_problem(listed, 422, "validation_failed")["errors"]
        assert as_member == error | {"field": f"withdrawals.1.{field}"}

    @pytest.mark.parametrize("field", ["merchant_id", "account_id", "amount", "account"])
    async def test_without_a_field_is_422_saying_so(self, client: httpx2.AsyncClient, field: str) -> None:
        problem = assert_problem(
            await client.post(WITHDRAW, json=withdrawal(**{field: None})), 422, "validation_failed"
        )
        assert problem["errors"] == [{"field": field, "detail": "is missing"}]

    async def test_with_an_unknown_field_is_422_naming_it(self, client: httpx2.AsyncClient) -> None:
        problem = assert_problem(await client.post(WITHDRAW, json=withdrawal(currency="IRR")), 422, "validation_failed")
        assert problem["errors"] == [{"field": "currency", "detail": "is not a field of this request"}]

    async def test_with_an_unknown_field_that_is_no_text_is_still_a_problem(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post(WITHDRAW, content=b'{"\\ud800": 1}', headers=JSON)
        assert_problem(answer, 422, "validation_failed")

    async def test_to_an_iban_with_a_right_check_sum_is_paid(self, client: httpx2.AsyncClient) -> None:
        answer = await client.post(WITHDRAW, json=withdrawal(account="GB33 BUKB 2020 1555 5555 55"))
        assert answer.json()["state"] == "paid"

    async def test_to_a_test_account_is_refused_in_production(self, database: TestDatabase) -> None:
        real = settings_for(
            database, etebar_profile="production", rail="http", bank_url="http://127.0.0.1:1", bank_token="t"
        )
        async with running(real) as client:
            answer = await client.post(WITHDRAW, json=withdrawal())
        assert fields_of(assert_problem(answer, 422, "validation_failed")) == ["account"]

    async def test_of_a_merchant_id_written_as_7_0_is_paid_for_that_is_an_integer_in_json(
        self, client: httpx2.AsyncClient
    ) -> None:
        assert (await client.post(WITHDRAW, json=withdrawal(merchant_id=7.0))).json()["merchant_id"] == 7

    @pytest.mark.parametrize("amount", ["0.01", "0.1", "999999999999999999.99"])
    async def test_at_the_bounds_of_an_amount_is_paid(self, client: httpx2.AsyncClient, amount: str) -> None:
        assert (await client.post(WITHDRAW, json=withdrawal(amount=amount))).json()["state"] == "paid"


MALFORMED = [b"", b"{", b"nope", b'{"a": }', b"\xff\xfe\xff", b"[" * 100_000, b'{"merchant_id": ' + b"9" * 5000 + b"}"]


class TestABody:
    @pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
    async def test_that_is_no_json_is_400(self, client: httpx2.AsyncClient, content: bytes) -> None:
        assert_problem(await client.post(WITHDRAW, content=content, headers=JSON), 400, "malformed_request")

    @pytest.mark.parametrize("content", [b"[]", b"null", b"1", b'"text"'])
    async def test_that_is_no_object_is_422(self, client: httpx2.AsyncClient, content: bytes) -> None:
        assert_problem(await client.post(WITHDRAW, content=content, headers=JSON), 422, "validation_failed")

    @pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
    async def test_of_another_media_type_is_415(self, client: httpx2.AsyncClient, media_type: str) -> None:
        answer = await client.post(WITHDRAW, content=b"{}", headers={"Content-Type": media_type})
        assert_problem(answer, 415, "unsupported_media_type")

    async def test_may_name_its_character_set(self, client: httpx2.AsyncClient) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        answer = await client.post(WITHDRAW, content=json.dumps(withdrawal()), headers=headers)
        assert answer.status_code == 200

    @pytest.mark.parametrize(("path", "limit"), [(WITHDRAW, 1024 * 1024), (BATCH, 4 * 1024 * 1024)])
    async def test_over_the_limit_is_413_whether_announced_or_not(
        self, client: httpx2.AsyncClient, path: str, limit: int
    ) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(limit // 65536 + 1):
                yield b" " * 65536

        assert_problem(await client.post(path, content=b" " * (limit + 1), headers=JSON), 413, "body_too_large")
        assert_problem(await client.post(path, content=chunks(), headers=JSON), 413, "body_too_large")
        assert_problem(await client.post(path, content=b" " * limit, headers=JSON), 400, "malformed_request")


class TestWhatIsNotThere:
    async def test_is_404(self, client: httpx2.AsyncClient) -> None:
        for path in ("/", "/api/settlement", "/api/settlement/withdraw/", "/docs", "/api/settlement/%00"):
            assert_problem(await client.get(path), 404, "not_found")

    async def test_is_405_for_a_wrong_method_and_tells_the_right_ones(self, client: httpx2.AsyncClient) -> None:
        answer = await client.get(WITHDRAW)
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST"
        assert (await client.delete(f"{PAYOUTS}/lookup")).headers["Allow"] == "POST"


class TestADefectOfOurs:
    async def test_is_500_as_a_problem_with_the_requests_id(
        self, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(PayoutStore, "window", broken)
        answer = await client.get(PAYOUTS, headers={"X-Request-ID": "r-1"})
        assert_problem(answer, 500, "internal_error")
        assert answer.headers["X-Request-ID"] == "r-1"


class TestADatabaseThatIsAway:
    async def test_is_503_with_retry_after_and_back_when_it_is_back(
        self, client: httpx2.AsyncClient, database: TestDatabase
    ) -> None:
        body = withdrawal()
        # of this database alone: others are at work on the same server
        await database.rows(f"ALTER DATABASE {database.name} CONNECTION LIMIT 0")
        try:
            await database.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'settlement_app' AND datname = current_database()"
            )
            answer = await client.post(WITHDRAW, json=body)
            assert_problem(answer, 503, "database_unavailable")
            assert answer.headers["Retry-After"] == "1"
            assert (await client.get("/healthz")).status_code == 200
            # every process would lose it at once: somebody has to answer 503
            assert (await client.get("/readyz")).status_code == 200
        finally:
            await database.rows(f"ALTER DATABASE {database.name} CONNECTION LIMIT -1")
        assert (await client.post(WITHDRAW, json=body)).json()["state"] == "paid"

    async def test_is_503_when_it_does_not_answer_in_time(self, database: TestDatabase) -> None:
        impatient = settings_for(database, db_timeout_seconds=0.2)
        async with running(impatient) as client, database.connect() as connection, connection.transaction():
            await connection.execute("LOCK TABLE payouts IN ACCESS EXCLUSIVE MODE")
            assert_problem(await client.post(WITHDRAW, json=withdrawal()), 503, "database_unavailable")


class TestReadiness:
    async def test_is_told_until_the_process_is_to_end(self, database: TestDatabase, tmp_path: Path) -> None:
        draining = tmp_path / "draining"
        async with running(settings_for(database, draining_file=draining)) as client:
            assert (await client.get("/readyz")).json() == {"status": "ok"}
            draining.touch()
            assert_problem(await client.get("/readyz"), 503, "not_ready")
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.post(WITHDRAW, json=withdrawal())).json()["state"] == "paid"
