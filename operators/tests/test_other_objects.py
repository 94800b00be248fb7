"""PoolTopUp and CreditPool on kmock's API server, and the operator's start."""

import kmock
import pytest
from emulated_kubernetes import MERCHANTS, POOLS, TOP_UPS, Emulator, Kubernetes, operating
from onboarding_helpers import Core, body, settings, until
from prometheus_client import REGISTRY

from onboarding import handlers, metrics, operator

pytestmark = pytest.mark.kmock(cls=Emulator)


class TestATopUp:
    TOP_UP = body("PoolTopUp", name="opening", amount="5.00", reference="r-1")

    async def test_is_applied_once_through_lost_answers_and_restarts(self, kubernetes: Kubernetes, core: Core) -> None:
        core.lost = 3
        kubernetes.put(TOP_UPS, self.TOP_UP)
        applied = ("True", "Applied")
        for _ in range(2):
            async with operating(settings(core.url)):
                await until("it is applied", lambda: kubernetes.condition("Ready", TOP_UPS, "opening") == applied)
        assert len(core.moved) == 1
        # nobody waits for the operator to delete one
        assert "finalizers" not in kubernetes.shown(TOP_UPS, "opening")["metadata"]

    async def test_of_another_amount_is_a_conflict(self, kubernetes: Kubernetes, core: Core) -> None:
        core.top_ups["/internal/v1/pool-top-ups/shops/r-1"] = "4.00"
        kubernetes.put(TOP_UPS, self.TOP_UP)
        async with operating(settings(core.url)):
            conflict = ("True", "Conflict")
            await until("it is told", lambda: kubernetes.condition("Conflict", TOP_UPS, "opening") == conflict)
        assert core.moved == []


class TestTheCreditPool:
    async def test_is_made_and_kept(self, kubernetes: Kubernetes, core: Core) -> None:
        async with operating(settings(core.url, low_water_mark="60.00")):
            await until("it is low", lambda: kubernetes.condition("LowWater", POOLS, "pool") == ("True", "LowWater"))
            assert kubernetes.shown(POOLS, "pool")["status"]["available"] == "50.00"
            kubernetes.remove(POOLS, "pool")
            await until("it is there again", lambda: kubernetes.shown(POOLS, "pool"))

    async def test_is_counted_as_it_is_when_nothing_changed(self, kubernetes: Kubernetes, core: Core) -> None:
        low = {"kind": "CreditPool", "condition": "LowWater", "status": "True"}
        # another process before it wrote the status
        async with operating(settings(core.url, low_water_mark="60.00")):
            await until("it is low", lambda: kubernetes.condition("LowWater", POOLS, "pool") == ("True", "LowWater"))
        metrics.OBJECTS.clear()
        async with operating(settings(core.url, low_water_mark="60.00")):
            asked = len(core.calls)
            await until("there were rounds", lambda: len(core.calls) >= asked + 3)
            assert REGISTRY.get_sample_value("etebar_onboarding_objects", low) == 1

    async def test_tells_what_could_not_be_told_at_first(self, kubernetes: Kubernetes, core: Core) -> None:
        kubernetes.server["post /api/v1/namespaces/shops/events"][:2] << kmock.KubernetesError(status=500)
        async with operating(settings(core.url, low_water_mark="60.00")):
            await until("it is told", lambda: kubernetes.told() >= {"LowWater", "Ready"})
            await until("and shown", lambda: kubernetes.condition("LowWater", POOLS, "pool") == ("True", "LowWater"))

    async def test_follows_the_operators_mark(self, kubernetes: Kubernetes, core: Core) -> None:
        for mark in ("60.00", "10.00"):
            async with operating(settings(core.url, low_water_mark=mark)):
                spec = {"lowWaterMark": mark}
                await until("it has it", lambda spec=spec: kubernetes.shown(POOLS, "pool").get("spec") == spec)


async def test_without_its_definitions_it_does_not_start(
    kubernetes: Kubernetes, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator, "KINDS_PAUSE_SECONDS", 0.01)
    for resource in (MERCHANTS, TOP_UPS, POOLS):
        del kubernetes.server.resources[resource]
    with pytest.raises(operator.KindsMissing, match=r"does not know etebar\.dev/v1alpha1; install the chart"):
        await operator.serve(settings(core.url))


def test_waits_grow_up_to_a_quarter_of_a_minute() -> None:
    assert [handlers.retry_seconds(retry) for retry in (0, 1, 2, 3, 99)] == [2.0, 4.0, 8.0, 15.0, 15.0]
