import hmac

import httpx2
import pytest
from settlement_helpers import (
    NEXT_TOKEN,
    PAYOUTS,
    WITHDRAW,
    TestDatabase,
    assert_problem,
    running,
    settings_for,
    token,
    withdrawal,
)

GUARDED = [
    ("POST", WITHDRAW),
    ("POST", f"{WITHDRAW}/batch"),
    ("GET", f"{PAYOUTS}/8a0f4f5c-0000-4000-8000-000000000000"),
    ("GET", PAYOUTS),
    ("POST", f"{PAYOUTS}/lookup"),
    ("POST", "/api/settlement/sandbox/clear"),
]
ON_EVERY_ROUTE = pytest.mark.parametrize(("method", "path"), GUARDED)


@ON_EVERY_ROUTE
class TestTheInternalToken:
    async def test_missing_is_401(self, client: httpx2.AsyncClient, method: str, path: str) -> None:
        client.headers.pop("X-Internal-Token")
        assert_problem(await client.request(method, path, content=b"{"), 401, "internal_token_missing")

    async def test_empty_is_401(self, client: httpx2.AsyncClient, method: str, path: str) -> None:
        assert_problem(await client.request(method, path, headers=token("")), 401, "internal_token_missing")

    async def test_wrong_is_403_before_the_body_is_looked_at(
        self, client: httpx2.AsyncClient, method: str, path: str
    ) -> None:
        answer = await client.request(method, path, headers=token("wrong"), content=b"{")
        assert_problem(answer, 403, "internal_token_wrong")


class TestTheTokensRotation:
    async def test_accepts_both_tokens_at_once(self, client: httpx2.AsyncClient) -> None:
        assert (await client.get(PAYOUTS)).status_code == 200
        assert (await client.get(PAYOUTS, headers=token(NEXT_TOKEN))).status_code == 200

    async def test_accepts_only_the_one_when_there_is_no_other(self, database: TestDatabase) -> None:
        async with running(settings_for(database, internal_token_next=None)) as client:
            assert (await client.get(PAYOUTS)).status_code == 200
            assert_problem(await client.get(PAYOUTS, headers=token(NEXT_TOKEN)), 403, "internal_token_wrong")

    async def test_compares_with_both_in_constant_time_whichever_fits(
        self, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[bytes] = []

        def spy(presented: bytes, valid: bytes) -> bool:
            compared.append(valid)
            return compare(presented, valid)

        compare = hmac.compare_digest
        monkeypatch.setattr(hmac, "compare_digest", spy)
        for presented in (client.headers["X-Internal-Token"], NEXT_TOKEN, "wrong"):
            compared.clear()
            await client.get(PAYOUTS, headers=token(presented))
            assert len(compared) == 2


class TestAWrongToken:
    async def test_pays_nothing(self, client: httpx2.AsyncClient, database: TestDatabase) -> None:
        body = withdrawal()
        await client.post(WITHDRAW, json=body, headers=token("wrong"))
        await client.post(WITHDRAW, json=body, headers={"X-Internal-Token": "ü".encode("latin-1")})
        assert await database.transfer(body["withdrawal_id"]) is None
