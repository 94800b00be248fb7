"""What SREs read of the operator: lines of JSON that name their object, and counts that follow objects."""

import asyncio
import json
import logging

import pytest
from prometheus_client import REGISTRY

from onboarding import logs, metrics
from onboarding.conditions import is_so
from onboarding.errors import ClusterUnavailable
from onboarding.result import Result


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class TestALine:
    def test_names_its_object_and_nothing_of_kopfs(self) -> None:
        record = logging.LogRecord("kopf.objects", logging.WARNING, __file__, 1, "it waits", None, None)
        record.__dict__ |= {
            "k8s_ref": {"kind": "Merchant", "namespace": "shops", "name": "shop"},
            "settings": object(),
            "k8s_skip": False,
        }
        formatter = logs.ObjectFormatter("%(levelname)s %(message)s")
        assert json.loads(formatter.format(record)) == {
            "levelname": "WARNING",
            "message": "it waits",
            "kind": "Merchant",
            "object": "shops/shop",
        }

    def test_about_no_object_names_none(self) -> None:
        record = logging.LogRecord("kopf", logging.INFO, __file__, 1, "started", None, None)
        assert json.loads(logs.ObjectFormatter("%(message)s").format(record)) == {"message": "started"}


class TestCounts:
    def test_follow_an_object_until_it_is_forgotten(self) -> None:
        counted = metrics.Counted()
        ready = {"kind": "Counted", "condition": "Ready"}
        for status in ("True", "True", "False"):
            counted.see("Counted", "uid-1", {"Ready": status})
        assert value("etebar_onboarding_objects", **ready, status="True") == 0
        assert value("etebar_onboarding_objects", **ready, status="False") == 1
        counted.forget("Counted", "uid-1")
        counted.forget("Counted", "uid-1")
        assert value("etebar_onboarding_objects", **ready, status="False") == 0

    def test_are_of_outcomes_and_reasons(self) -> None:
        metrics.count("Told", Result())
        metrics.count("Told", Result([is_so("Ready", value=False, reason="CoreUnavailable")], retry=True))
        metrics.count("Told", Result(is_stale=True, retry=True))
        assert value("etebar_onboarding_reconciles_total", kind="Told", outcome="done") == 1
        assert value("etebar_onboarding_reconciles_total", kind="Told", outcome="retry") == 2
        assert value("etebar_onboarding_errors_total", kind="Told", reason="CoreUnavailable") == 1
        assert value("etebar_onboarding_errors_total", kind="Told", reason="VersionStale") == 1

    @pytest.mark.parametrize(("error", "reason"), [
        (KeyError("a defect"), "Exception"),
        (ClusterUnavailable("away"), "ClusterUnavailable"),
    ])  # fmt: skip
    async def test_are_of_exceptions_too(self, error: Exception, reason: str) -> None:
        kind = f"Defect{reason}"
        with pytest.raises(type(error)):
            async with metrics.measured(kind, asyncio.Semaphore(1)):
                raise error
        assert value("etebar_onboarding_errors_total", kind=kind, reason=reason) == 1
        assert value("etebar_onboarding_reconciles_total", kind=kind, outcome="retry") == 1

    async def test_show_who_waits_for_the_gate(self) -> None:
        gate = asyncio.Semaphore(1)

        async def reconcile() -> None:
            async with metrics.measured("Gated", gate):
                await asyncio.sleep(0.05)

        both = [asyncio.create_task(reconcile()) for _ in range(2)]
        await asyncio.sleep(0.01)
        assert value("etebar_onboarding_queue", kind="Gated") == 1
        assert value("etebar_onboarding_reconciles_in_progress", kind="Gated") == 1
        await asyncio.gather(*both)
        assert value("etebar_onboarding_queue", kind="Gated") == 0
        assert value("etebar_onboarding_reconcile_duration_seconds_count", kind="Gated") == 2
