"""What Prometheus reads of real processes: true numbers, and no label that a caller chose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from etebar_quickstart.ports import Ports

from . import books
from .api import ASYNC, assert_problem, new_key
from .platform import Platform, databases
from .waiting import wait_until

SERVICES = ("core", "worker", "beat", "settlement")
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
LABELS = {
    *("method", "route", "status", "stage", "outcome", "code", "result", "limit", "reason", "task"),
    *("age", "queue", "certificate", "rail", "call", "version", "profile", "le"),
    # python_info and python_gc_*
    *("implementation", "major", "minor", "patchlevel", "generation"),
}
# what callers send goes by this name, and is to be nowhere in the metrics
MARK = "mark0f5e11"


@dataclass(frozen=True)
class Measured:
    """A platform whose processes serve metrics on these ports."""

    platform: Platform
    ports: Mapping[str, int]

    def scraped(self, service: str) -> list[Metric]:
        address = f"http://127.0.0.1:{self.ports[service]}/metrics"
        text = httpx2.get(address, headers=OPENMETRICS, trust_env=False).text
        return list(text_string_to_metric_families(text))

    def value(self, service: str, name: str, **labels: str) -> float:
        """A sample's value; 0 when it is not there."""
        found = [
            sample.value
            for family in self.scraped(service)
            for sample in family.samples
            if sample.name == name and sample.labels == labels
        ]
        return found[0] if found else 0.0


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    ports = dict(zip(SERVICES, vars(Ports.free()).values(), strict=True))
    own = {name: {"METRICS_PORT": str(port)} for name, port in ports.items()}
    own["worker"]["PROMETHEUS_MULTIPROC_DIR"] = str(tmp_path_factory.mktemp("multiprocess"))
    core = {"POOL_LOW_WATER_MARK": "100.00", "VERIFY_BOOKS_INTERVAL_SECONDS": "1"}
    with databases() as stack, Platform.started(stack, core, own) as platform:
        yield Measured(platform, ports)


class TestAMerchantsStory:
    def test_is_counted_once_where_it_happened(self, measured: Measured) -> None:
        def counted(outcome: str, code: str = "") -> float:
            return measured.value("core", "etebar_withdrawals_total", outcome=outcome, code=code)

        before = {each: counted(*each) for each in (("accepted",), ("settled",), ("refused", "insufficient_credit"))}
        merchant, key = measured.platform.api.merchant(limit="10.00"), new_key()
        assert merchant.withdraw("4.00", key).status_code == 201
        assert merchant.withdraw("4.00", key).headers["Idempotency-Replayed"] == "true"
        assert_problem(merchant.withdraw("5.00", key), 422, "idempotency_key_reused")
        assert_problem(merchant.withdraw("7.00"), 409, "insufficient_credit")
        assert {each: counted(*each) - count for each, count in before.items()} == dict.fromkeys(before, 1)
        for result in ("replayed", "reused"):
            assert measured.value("core", "etebar_idempotency_total", result=result) == 1
        route = {"method": "POST", "route": "/api/v1/withdrawals"}
        assert measured.value("core", "etebar_http_requests_total", status="409", **route) == 1
        assert measured.value("core", "etebar_http_request_duration_seconds_count", **route) == 4
        assert measured.value("core", "etebar_withdrawal_time_to_final_seconds_count") == 1

    def test_that_ends_later_is_counted_by_the_worker(self, measured: Measured) -> None:
        def settled() -> float:
            return measured.value("worker", "etebar_withdrawals_total", outcome="settled", code="")

        before = settled()
        merchant = measured.platform.api.merchant()
        withdrawal_id = merchant.withdraw("1.00", **ASYNC).json()["id"]
        measured.platform.wait_settled(merchant, withdrawal_id)
        wait_until("the worker has counted it", lambda: settled() == before + 1)
        assert measured.value("worker", "etebar_dispatch_attempts_total", outcome="paid") >= 1
        task = {"task": "dispatch_pending", "outcome": "success"}
        assert measured.value("worker", "etebar_celery_tasks_total", **task) >= 1

    def test_is_told_of_by_beat(self, measured: Measured) -> None:
        wait_until("the books are told", lambda: measured.value("beat", "etebar_books_last_check_timestamp_seconds"))
        told = {name: measured.value("beat", f"etebar_pool_{name}_amount") for name in ("funded", "available")}
        assert told["funded"] > told["available"] > 0
        up = {name: measured.value("beat", name) for name in ("etebar_database_up", "etebar_redis_up")}
        assert set(up.values()) == {1}
        assert measured.value("beat", "etebar_pool_low_water_amount") == 100
        assert measured.value("beat", "etebar_migrations_unapplied") == 0
        books.assert_books_agree(measured.platform.stack)

    def test_says_which_version_answers(self, measured: Measured) -> None:
        for service in SERVICES:
            assert measured.value(service, "etebar_build_info", version="0.1.0", profile="test") == 1


class TestLabels:
    def test_are_of_our_own_making(self, measured: Measured) -> None:
        api = measured.platform.api
        merchant = api.merchant()
        sent = {"Idempotency-Key": MARK, "X-Request-ID": MARK, "User-Agent": MARK, "Prefer": MARK}
        api.send("POST", "/withdrawals", {"amount": "1.00"}, merchant.token | sent)
        api.send("POST", "/withdrawals", {"amount": MARK, MARK: "1"}, merchant.token | sent)
        api.send("GET", f"/withdrawals/{MARK}", headers=merchant.token | sent)
        api.send("GET", f"/{MARK}?{MARK}={MARK}", headers=merchant.token)
        api.send(MARK.upper(), "/me", headers=merchant.token)
        api.send("POST", "/auth/token", {"username": MARK, "password": MARK})
        for service in SERVICES:
            families = measured.scraped(service)
            samples = [sample for family in families for sample in family.samples]
            assert {label for sample in samples for label in sample.labels} <= LABELS
            assert [each for each in samples if MARK in str(each.labels).lower()] == []


def test_every_metric_is_on_the_reference_page(measured: Measured) -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    ours = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for service in SERVICES
        for family in measured.scraped(service)
        if family.name.startswith("etebar_")
    }
    assert [name for name in sorted(ours) if f"| `{name}` |" not in page] == []
