"""PoolTopUp and CreditPool without a cluster."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from onboarding_helpers import body

from onboarding import pool, top_ups
from onboarding.core_answers import KeptTopUp, PoolAmounts
from onboarding.errors import CoreRefused, CoreUnavailable
from onboarding.result import Result

NOW = datetime(2026, 1, 1, tzinfo=UTC)
APPLIED = KeptTopUp(top_up_id="id", amount="5.00", applied_at="2026-01-01T00:00:00Z", first=True)
AMOUNTS = PoolAmounts(available_amount="40.00", reserved_amount="5.00", settled_amount="5.00", funded_amount="50.00")


class Core:
    def __init__(self, answer: KeptTopUp | PoolAmounts | Exception) -> None:
        self.answer = answer
        self.asked: tuple[str, ...] = ()

    async def keep_top_up(self, *asked: str) -> KeptTopUp:
        self.asked = asked
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, KeptTopUp)
        return self.answer

    async def pool(self) -> PoolAmounts:
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, PoolAmounts)
        return self.answer


def told(result: Result) -> dict[str, tuple[str, str]]:
    return {each.type: (each.status, each.reason) for each in result.conditions}


class TestATopUp:
    TOP_UP = body("PoolTopUp", name="opening", amount="5.00", reference="r-1")

    async def test_is_asked_for_by_its_reference(self) -> None:
        core = Core(APPLIED)
        result = await top_ups.reconcile(core, self.TOP_UP)
        assert core.asked == ("shops", "r-1", "opening", "5.00")
        assert result.members == {"topUpId": "id", "appliedAmount": "5.00", "appliedAt": "2026-01-01T00:00:00Z"}
        assert told(result) == {
            "Applied": ("True", "Applied"), "Conflict": ("False", "NoConflict"), "Ready": ("True", "Applied"),
        }  # fmt: skip

    async def test_of_another_amount_is_a_conflict_for_good(self) -> None:
        result = await top_ups.reconcile(Core(CoreRefused(409, "top_up_conflict", "4.00 was applied")), self.TOP_UP)
        assert told(result) == {
            "Applied": ("False", "Conflict"), "Conflict": ("True", "Conflict"), "Ready": ("False", "Conflict"),
        }  # fmt: skip
        assert not result.retry

    @pytest.mark.parametrize(("error", "reason"), [
        (CoreUnavailable("away"), "CoreUnavailable"),
        (CoreRefused(401, "operator_token_wrong", "no"), "TokenRefused"),
        (CoreRefused(422, "validation_failed", "no"), "Invalid"),
    ])  # fmt: skip
    async def test_that_core_does_not_take_is_tried_again(self, error: Exception, reason: str) -> None:
        result = await top_ups.reconcile(Core(error), self.TOP_UP)
        assert told(result)["Ready"] == ("False", reason)
        assert result.retry


class TestThePool:
    @pytest.mark.parametrize(("mark", "expected"), [
        ("40.00", ("False", "Enough")), ("40.01", ("True", "LowWater")), ("0", ("False", "Enough")),
    ])  # fmt: skip
    async def test_is_low_below_its_mark(self, mark: str, expected: tuple[str, str]) -> None:
        result = await pool.reconcile(Core(AMOUNTS), Decimal(mark), NOW)
        assert told(result) == {"LowWater": expected, "Ready": ("True", "Ready")}
        assert result.members == {
            "available": "40.00",
            "reserved": "5.00",
            "settled": "5.00",
            "funded": "50.00",
            "observedAt": "2026-01-01T00:00:00Z",
        }

    async def test_keeps_its_last_amounts_while_core_is_away(self) -> None:
        result = await pool.reconcile(Core(CoreUnavailable("away")), Decimal(0), NOW)
        assert told(result) == {"Ready": ("False", "CoreUnavailable")}
        assert result.members == {}

    def test_is_written_with_two_places(self) -> None:
        assert pool.manifest("etebar", Decimal(1000))["spec"] == {"lowWaterMark": "1000.00"}
