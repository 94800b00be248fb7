"""Traces on real processes, as a collector receives them, and what the logs have of them."""

import contextlib
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from etebar_quickstart import paths
from etebar_quickstart.ports import free_port
from etebar_quickstart.stack import Stack

from . import books
from .api import PASSWORD, new_key
from .otlp import Collector, Span, collecting
from .platform import Platform, databases
from .waiting import wait_until

PATH = "/api/v1/withdrawals"
ORDER = "POST /api/settlement/withdraw/batch"
UNKNOWN_AT_FIRST = "IRTESTERROR0000000001"
CALLER = "00f067aa0ba902b7"
METRICS_PORT = free_port()
AT_ONCE = 40
# of the SDK's metrics redis-py imports what it finds
NEVER_IMPORTED = ("etebar_common.spans", "opentelemetry.sdk.trace", "opentelemetry.exporter.otlp")

SETTLED = f"""\
core-web POST {PATH}
  core-web confirm
    core-web SELECT payments_confirm
  core-web reserve
    core-web SELECT payments_reserve
  core-web settle
    core-web {ORDER}
      settlement {ORDER}
        settlement conclude
          settlement UPDATE payouts
        settlement rail pay
          settlement INSERT sandbox_transfers
        settlement record
          settlement INSERT payouts"""

ASKED_AGAIN = f"""\
core-web POST {PATH}
  core-web reserve
    core-web SELECT payments_reserve
  core-web settle
    core-web {ORDER}
      settlement {ORDER}
        settlement conclude
          settlement UPDATE payouts
        settlement rail pay
          settlement INSERT sandbox_transfers
          settlement SELECT sandbox_transfers
        settlement record
          settlement INSERT payouts
  core-worker dispatch
    core-worker INSERT payments_dispatchattempt
    core-worker SELECT payments_outcomedecision
    core-worker UPDATE payments_withdrawal
    core-worker confirm
      core-worker SELECT payments_confirm
    core-worker settle
      core-worker {ORDER}
        settlement {ORDER}
          settlement conclude
            settlement UPDATE payouts
          settlement rail pay
            settlement INSERT sandbox_transfers
            settlement SELECT sandbox_transfers
            settlement SELECT sandbox_transfers
            settlement UPDATE sandbox_transfers
          settlement rail status
            settlement SELECT sandbox_transfers
          settlement record
            settlement INSERT payouts
            settlement SELECT payouts
            settlement UPDATE payouts"""


@pytest.fixture(scope="module")
def traced() -> Iterator[tuple[Platform, Collector]]:
    """A platform whose services send their traces to the collector."""
    with collecting() as collector, databases() as stack:
        everyone = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "LOG_LEVEL": "INFO"}
        own = {"core": {"METRICS_PORT": str(METRICS_PORT)}}
        with Platform.started(stack, own=own, everyone=everyone) as platform:
            yield platform, collector


@pytest.fixture
def platform(traced: tuple[Platform, Collector]) -> Platform:
    return traced[0]


@pytest.fixture
def collector(traced: tuple[Platform, Collector]) -> Collector:
    return traced[1]


def headers_of(trace_id: str, flags: str = "01") -> dict[str, str]:
    """What a traced caller sends."""
    return {"traceparent": f"00-{trace_id}-{CALLER}-{flags}"}


def wait_for_tree(collector: Collector, trace_id: str, tree: str) -> None:
    """Waits until the trace is as drawn; fails with what it is instead."""
    with contextlib.suppress(AssertionError):
        wait_until("the trace is whole", lambda: collector.of_trace(trace_id).tree() == tree, timeout_seconds=15)
    assert collector.of_trace(trace_id).tree() == tree


def lines_of(platform: Platform, service: str, trace_id: str) -> list[str]:
    """The messages in a service's log that have the trace's id."""
    lines = (platform.stack.logs / f"{service}.log").read_text().splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    return [str(record["message"]) for record in records if record["trace_id"] == trace_id]


class TestASettledWithdrawal:
    def test_is_one_trace_from_the_callers_header_to_the_bank(self, platform: Platform, collector: Collector) -> None:
        trace_id = secrets.token_hex(16)
        answer = platform.api.merchant().withdraw(**headers_of(trace_id))
        assert answer.status_code == 201
        wait_for_tree(collector, trace_id, SETTLED)
        trace = collector.of_trace(trace_id)
        request, asked = trace.named("core-web", f"POST {PATH}"), trace.named("settlement", ORDER)
        assert (request.parent, request.kind, asked.kind) == (CALLER, "SERVER", "SERVER")
        assert trace.named("core-web", ORDER).kind == "CLIENT"
        assert request.attributes == {
            "http.request.method": "POST",
            "http.route": PATH,
            "http.response.status_code": 201,
            "etebar.request_id": answer.headers["X-Request-ID"],
            "etebar.withdrawal_id": answer.json()["id"],
        }
        paid = trace.named("settlement", "rail pay").attributes
        assert paid == {"etebar.rail": "sandbox", "etebar.outcome": "paid", "etebar.members": 1}
        assert not any(span.is_error or span.links for span in trace.spans)
        assert lines_of(platform, "settlement", trace_id) == ["request"]

    def test_of_an_untraced_caller_begins_a_trace(self, platform: Platform, collector: Collector) -> None:
        withdrawal_id = platform.api.merchant().withdraw().json()["id"]
        request = wait_until("the request's span is there", lambda: request_of(collector, withdrawal_id))
        assert request.parent == ""
        wait_for_tree(collector, request.trace_id, SETTLED)

    def test_of_a_caller_that_records_nothing_is_not_recorded(self, platform: Platform, collector: Collector) -> None:
        trace_id = secrets.token_hex(16)
        merchant = platform.api.merchant()
        withdrawal_id = merchant.withdraw(**headers_of(trace_id, flags="00")).json()["id"]
        later = merchant.withdraw().json()["id"]
        wait_until("what came later is there", lambda: request_of(collector, later))
        assert collector.of_trace(trace_id).spans == []
        assert request_of(collector, withdrawal_id) is None
        assert lines_of(platform, "settlement", trace_id) == ["request"]
        assert kept_trace_parent(platform, withdrawal_id) is None


class TestAWithdrawalWhoseOutcomeIsNotKnown:
    def test_goes_on_in_its_trace_until_it_ends(self, platform: Platform, collector: Collector) -> None:
        trace_id = secrets.token_hex(16)
        merchant = platform.api.merchant(account=UNKNOWN_AT_FIRST)
        answer = merchant.withdraw(**headers_of(trace_id))
        assert answer.status_code == 202
        withdrawal_id = answer.json()["id"]
        platform.wait_settled(merchant, withdrawal_id)
        wait_for_tree(collector, trace_id, ASKED_AGAIN)
        trace = collector.of_trace(trace_id)
        request, dispatch = trace.named("core-web", f"POST {PATH}"), trace.named("core-worker", "dispatch")
        assert kept_trace_parent(platform, withdrawal_id) == f"00-{trace_id}-{request.span_id}-01"
        (linked,) = dispatch.links
        task = wait_until("the task's span is there", lambda: span_of(collector, linked))
        published = wait_until("beat's span is there", lambda: span_of(collector, task.parent))
        assert (task.service, task.name, task.kind) == ("core-worker", "task dispatch_pending", "CONSUMER")
        assert (published.service, published.name) == ("core-beat", "publish dispatch_pending")

        assert lines_of(platform, "core", trace_id) == [f"withdrawal {withdrawal_id} is left pending"]
        assert lines_of(platform, "worker", trace_id) == [f"withdrawal {withdrawal_id} is settled after 1 questions"]
        unknown = f"payout {withdrawal_id}: outcome unknown: the sandbox bank answered 500"
        assert lines_of(platform, "settlement", trace_id) == [unknown, "request", "request"]


class TestAPointOfAHistogram:
    def test_leads_to_the_trace_of_a_request(self, platform: Platform) -> None:
        trace_id = new_key()
        platform.api.merchant().withdraw("1.00", **headers_of(trace_id))
        address = f"http://127.0.0.1:{METRICS_PORT}/metrics"
        accepted = {"Accept": "application/openmetrics-text; version=1.0.0"}
        found = {
            (sample.name, sample.exemplar.labels["trace_id"])
            for family in text_string_to_metric_families(httpx2.get(address, headers=accepted).text)
            for sample in family.samples
            if sample.exemplar
        }
        assert ("etebar_http_request_duration_seconds_bucket", trace_id) in found
        assert ("etebar_group_commit_duration_seconds_bucket", trace_id) in found
        assert ("etebar_withdrawal_time_to_final_seconds_bucket", trace_id) in found


class TestWithdrawalsAtOnce:
    def test_share_lists_that_each_of_them_is_linked_to(self, platform: Platform, collector: Collector) -> None:
        merchant = platform.api.merchant()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda _: merchant.withdraw(), range(AT_ONCE)))
        ids = [answer.json()["id"] for answer in answers]
        wait_until("all spans are there", lambda: all(request_of(collector, each) for each in ids))
        requests = [span for each in ids if (span := request_of(collector, each))]

        def lists(stage: str) -> list[list[Span]]:
            return [lists_of(collector, request, stage) for request in requests]

        for stage in ("reserve", "settle", "confirm"):
            wait_until(f"each request leads to its {stage}", lambda stage=stage: all(lists(stage)))
            assert any(shared.attributes["etebar.members"] > 1 for found in lists(stage) for shared in found)


class TestWhatIsSent:
    def test_has_no_secret_and_no_account(self, platform: Platform, collector: Collector) -> None:
        merchant = platform.api.merchant(account="IRTEST7777777777777")
        later = merchant.withdraw().json()["id"]
        wait_until("it is sent", lambda: request_of(collector, later))
        sent = b"".join(collector.bodies).decode("latin-1")
        assert later in sent
        token = merchant.token["Authorization"].removeprefix("Bearer ")
        kept = [value for name, value in vars(platform.stack.environments.secrets).items() if value != PASSWORD]
        assert [secret for secret in (token, "IRTEST7777777777777", *map(str, kept)) if secret in sent] == []

    def test_has_no_probe(self, collector: Collector) -> None:
        names = {span.name for span in collector.spans()}
        assert not any(probe in name for name in names for probe in ("healthz", "readyz", "unmatched"))


class TestAServiceThatEnds:
    def test_sends_first_what_it_has(self, platform: Platform, collector: Collector) -> None:
        trace_id = secrets.token_hex(16)
        assert platform.api.merchant().withdraw(**headers_of(trace_id)).status_code == 201
        platform.stack.stop("core")
        platform.stack.stop("settlement")
        found = collector.of_trace(trace_id).tree()
        platform.revive()
        assert found == SETTLED

    def test_of_the_worker_too(self, platform: Platform, collector: Collector) -> None:
        trace_id = secrets.token_hex(16)
        merchant = platform.api.merchant(account=UNKNOWN_AT_FIRST)
        withdrawal_id = merchant.withdraw(**headers_of(trace_id)).json()["id"]
        platform.wait_settled(merchant, withdrawal_id)
        platform.stack.stop("worker")
        found = [span.name for span in collector.of_trace(trace_id).spans if span.service == "core-worker"]
        platform.revive()
        assert "dispatch" in found


class TestWithoutACollector:
    @pytest.mark.parametrize("module", ["core.asgi", "core.celery", "settlement.main"])
    def test_neither_spans_nor_the_sdk_that_makes_them_are_imported(self, module: str, quiet: Stack) -> None:
        is_core = module.startswith("core")
        serve = f"import {module}" if is_core else f"import {module}; {module}.create_app()"
        script = f"{serve}\nimport sys; print(sorted(set({NEVER_IMPORTED}) & sys.modules.keys()))"
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=paths.CORE if is_core else paths.SETTLEMENT,
            env=quiet.core_env() if is_core else quiet.settlement_env(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.splitlines()[-1:] == ["[]"], done.stdout + done.stderr


@pytest.fixture(scope="module")
def quiet() -> Iterator[Stack]:
    """Databases only, and no collector."""
    with databases() as stack:
        yield stack


def span_of(collector: Collector, span_id: str) -> Span | None:
    return next((span for span in collector.spans() if span.span_id == span_id), None)


def request_of(collector: Collector, withdrawal_id: str) -> Span | None:
    """The span of the request that made it."""
    spans = collector.spans()
    return next((span for span in spans if span.attributes.get("etebar.withdrawal_id") == withdrawal_id), None)


def lists_of(collector: Collector, request: Span, stage: str) -> list[Span]:
    """The lists of a stage that a request leads to: below its span, or linked with it, each to the other."""
    return [
        span
        for span in collector.spans()
        if (span.service, span.name) == ("core-web", stage)
        and (span.parent == request.span_id or (span.span_id in request.links and request.span_id in span.links))
    ]


def kept_trace_parent(platform: Platform, withdrawal_id: str) -> str | None:
    statement = "SELECT trace_parent FROM payments_withdrawal WHERE id = %s"
    found: str | None = books.query(platform.stack.dsn("etebar_audit"), statement, withdrawal_id)[0][0]
    return found
