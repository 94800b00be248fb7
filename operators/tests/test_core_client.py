"""The client of core's internal API, on a real socket."""

import asyncio
from typing import Any

import pytest
from onboarding_helpers import TOKEN, Core, answer, problem

from onboarding import core_client
from onboarding.errors import CoreRefused, CoreUnavailable


async def kept(core: Core, token: str = TOKEN, wish: dict[str, Any] | None = None) -> Any:
    async with core_client.connected(core.url, token, 0.5) as client:
        return await client.keep_merchant("shops", "shop", wish or {"credit_limit": "1.00", "deletion": None})


class TestAnAnswer:
    async def test_is_typed(self, core: Core) -> None:
        found = await kept(core)
        assert (found.merchant_id, found.available_credit, found.drift) == (7, "70.00", [])
        assert core.calls[0][0] == "/internal/v1/merchants/shops/shop"

    async def test_of_a_newer_core_may_have_more_members(self, core: Core) -> None:
        core.answers = [(200, answer(invented_later=1))]
        assert (await kept(core)).merchant_id == 7

    async def test_of_the_pool_and_a_top_up(self, core: Core) -> None:
        async with core_client.connected(core.url, TOKEN, 0.5) as client:
            assert (await client.pool()).available_amount == "50.00"
            assert (await client.keep_top_up("shops", "r-1", "name", "5.00")).amount == "5.00"
        assert core.calls[-1] == ("/internal/v1/pool-top-ups/shops/r-1", {"name": "name", "amount": "5.00"})


class TestTrouble:
    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
    async def test_that_passes_is_no_answer(self, core: Core, status: int) -> None:
        core.answers = [problem(status, "any")]
        with pytest.raises(CoreUnavailable, match=f"core answered {status}: because of any"):
            await kept(core)

    @pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
    async def test_that_stays_is_a_refusal(self, core: Core, status: int) -> None:
        core.answers = [problem(status, "any")]
        with pytest.raises(CoreRefused) as refused:
            await kept(core)
        assert (refused.value.status, refused.value.code, str(refused.value)) == (status, "any", "because of any")

    async def test_with_the_token_is_told_as_such(self, core: Core) -> None:
        with pytest.raises(CoreRefused) as refused:
            await kept(core, "another-token")
        assert refused.value.code == "operator_token_wrong"

    async def test_a_lost_answer_is_none(self, core: Core) -> None:
        # aiohttp asks once more by itself, as it may: every call of ours may be repeated
        core.lost = 2
        with pytest.raises(CoreUnavailable, match="core does not answer"):
            await kept(core)
        assert len(core.merchants) == 1

    async def test_a_slow_answer_is_none(self, core: Core) -> None:
        core.slow_seconds = 2.0
        with pytest.raises(CoreUnavailable, match="core does not answer"):
            await kept(core)

    @pytest.mark.parametrize("members", [{}, {"merchant_id": "seven"}])
    async def test_an_answer_that_is_not_understood_is_none(self, core: Core, members: dict[str, Any]) -> None:
        core.answers = [(200, members)]
        with pytest.raises(CoreUnavailable, match="core's answer is not understood"):
            await kept(core)


class TestACoreThatCannotBeReached:
    async def test_is_believed_to_be_away_for_a_while(self, monkeypatch: pytest.MonkeyPatch, core: Core) -> None:
        monkeypatch.setattr(core_client, "AWAY_SECONDS", 0.2)
        async with core_client.connected("http://127.0.0.1:1", TOKEN, 0.5) as client:
            with pytest.raises(CoreUnavailable, match="core cannot be reached"):
                await client.pool()
            client._url = f"{core.url}/internal/v1"
            with pytest.raises(CoreUnavailable, match="core cannot be reached"):
                await client.pool()
            assert core.calls == []
            await asyncio.sleep(0.3)
            assert (await client.pool()).available_amount == "50.00"
