"""What spans are made of, whom they belong to, and that nothing is made while traces are off."""

import contextvars
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.trace import Span

from etebar_common import span_exporter, tracing
from etebar_common.environment import TracedEnvironment, load
from etebar_common.logs import RequestIdFilter
from etebar_common.spans import Spans, summary_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spans]:
    """Traces are on, and nobody takes them."""
    monkeypatch.setattr(span_exporter, "TIMEOUT_SECONDS", 0.1)
    made = Spans("test", TracedEnvironment(otel_exporter_otlp_endpoint=NOBODY))
    monkeypatch.setattr(tracing, "_spans", made)
    yield made
    made.close()


def header(flags: str = "01", number: int = 1) -> str:
    return f"00-{TRACE}-{number:016x}-{flags}"


def requests(*traceparents: str) -> list[Any]:
    """Spans of requests, which go on."""
    made = []
    for traceparent in traceparents:
        with tracing.server_span("POST", traceparent):
            made.append(tracing.current_span())
    return made


def running(*flags: str) -> list[Any]:
    """Requests under way in traces of their own, recorded or not."""
    # each in a context of its own, as tasks of an event loop are
    return [
        contextvars.copy_context().run(_begin, f"00-{number:032x}-{SPAN}-{each}")
        for number, each in enumerate(flags, 1)
    ]


def _begin(traceparent: str) -> Any:
    tracing.server_span("POST", traceparent).__enter__()
    return tracing.current_span()


def linked(span: Any) -> list[str]:
    return [f"{link.context.span_id:016x}" for link in span.links]


def name_of(span: Span) -> str:
    return f"{span.get_span_context().span_id:016x}"


class TestTheCallersHeader:
    @pytest.mark.parametrize("traceparent", [header(), f"cc-{TRACE}-{SPAN}-01-what-will-be", f"00-{TRACE}-{SPAN}-03"])
    def test_names_the_trace(self, spans: Spans, traceparent: str) -> None:
        with tracing.server_span("GET", traceparent):
            assert tracing.current_trace_id() == TRACE

    @pytest.mark.parametrize(
        "traceparent",
        [
            None,
            "",
            "nonsense",
            header().upper(),
            f"{header()}-more",
            f"ff-{TRACE}-{SPAN}-01",
            f"00-{'0' * 32}-{SPAN}-01",
            f"00-{TRACE}-{'0' * 16}-01",
            f"00-{TRACE}-{SPAN}-01\n",
        ],
    )
    def test_that_is_none_begins_a_trace(self, spans: Spans, traceparent: str | None) -> None:
        with tracing.server_span("GET", traceparent):
            assert tracing.current_trace_id() not in {None, TRACE}

    def test_that_is_not_recorded_is_passed_on_as_it_is(self, spans: Spans) -> None:
        with tracing.server_span("GET", header("00")), tracing.span("a part"), tracing.calling("another") as headers:
            assert headers["traceparent"].startswith(f"00-{TRACE}-")
            assert headers["traceparent"].endswith("-00")
            assert tracing.current_ids()[0] == TRACE
            assert tracing.current_trace_id() is None
            assert tracing.current_traceparent() is None

    def test_takes_its_state_along(self, spans: Spans) -> None:
        with tracing.server_span("GET", header(), "vendor=1"), tracing.calling("another") as headers:
            assert headers["tracestate"] == "vendor=1"

    def test_that_is_stored_has_55_characters(self, spans: Spans) -> None:
        with tracing.server_span("GET", f"00-{TRACE}-{SPAN}-03", "vendor=1"):
            assert len(tracing.current_traceparent() or "") == 55


class TestAList:
    def test_is_part_of_its_first_members_trace_and_linked_with_the_others(self, spans: Spans) -> None:
        first, second, third = running("01", "01", "01")
        with tracing.list_span("reserve", [first, second, third]) as shared:
            assert shared.parent.span_id == first.get_span_context().span_id
            assert linked(shared) == [name_of(second), name_of(third)]
        assert [linked(span) for span in (first, second, third)] == [[], [name_of(shared)], [name_of(shared)]]

    def test_passes_over_members_that_are_not_recorded(self, spans: Spans) -> None:
        left_out, first, second = running("00", "01", "01")
        with tracing.list_span("reserve", [left_out, first, second]) as shared:
            assert shared.parent.span_id == first.get_span_context().span_id
            assert linked(shared) == [name_of(second)]

    def test_of_nobody_who_is_recorded_is_not_recorded_either(self, spans: Spans) -> None:
        first, second = running("00", "00")
        with tracing.list_span("reserve", [first, second]) as shared, tracing.calling("settlement") as headers:
            assert shared is first
            assert headers["traceparent"].endswith("-00")

    def test_has_a_request_of_many_withdrawals_once(self, spans: Spans) -> None:
        bulk, other = running("01", "01")
        with tracing.list_span("reserve", [bulk, bulk, other, bulk]) as shared:
            assert linked(shared) == [name_of(other)]
        assert linked(bulk) == []

    def test_is_linked_to_a_request_that_was_answered_meanwhile(self, spans: Spans) -> None:
        first, second = requests(header(number=1), header(number=2))
        with tracing.list_span("reserve", [first, second]) as shared:
            assert linked(shared) == [name_of(second)]
        assert linked(second) == []

    def test_of_stored_traces_goes_on_in_them_and_names_who_does_it(self, spans: Spans) -> None:
        with tracing.task_span("task", None) as task:
            members = [tracing.span_of(parent) for parent in (None, header(number=7), header(number=8))]
            with tracing.list_span("dispatch", members) as shared:
                assert shared.parent.span_id == 7
                assert linked(shared) == [f"{8:016x}", name_of(task)]

    def test_without_any_trace_is_part_of_what_is_at_hand(self, spans: Spans) -> None:
        with tracing.task_span("task", None) as task, tracing.list_span("dispatch", [None, None]) as shared:
            assert shared.parent.span_id == task.get_span_context().span_id


class TestAnError:
    def test_is_noted_by_its_kind_and_never_by_its_message(self, spans: Spans) -> None:
        with pytest.raises(ValueError, match="password"), tracing.span("a part") as span:
            raise ValueError("the password is 1234")
        assert span.attributes == {"error.type": "ValueError"}
        assert (span.status.status_code.name, span.status.description, span.events) == ("ERROR", None, ())


class TestAStatement:
    @pytest.mark.parametrize(
        ("statement", "summary"),
        [
            ("SELECT * FROM payments_reserve(%s, %s) ORDER BY ordinal", "SELECT payments_reserve"),
            ('SELECT "payments_merchant"."id" FROM "payments_merchant" WHERE x FOR UPDATE', "SELECT payments_merchant"),
            ("\nINSERT INTO payouts (a)\nSELECT b FROM unnest($1) AS b", "INSERT payouts"),
            ("WITH l AS (SELECT 1 FROM payouts FOR UPDATE OF payouts) UPDATE payouts SET a = 1", "UPDATE payouts"),
            ("DELETE FROM payouts", "DELETE payouts"),
            ("SAVEPOINT s1", "SAVEPOINT"),
            ("", "SQL"),
        ],
    )
    def test_is_named_by_what_it_does_to_what(self, statement: str, summary: str) -> None:
        assert summary_of(statement) == summary

    def test_outside_of_a_trace_makes_no_span(self, spans: Spans) -> None:
        with tracing.sql_span("SELECT 1") as span:
            assert span is None


class TestALineOfTheLog:
    def test_has_the_trace_at_hand(self, spans: Spans) -> None:
        with tracing.server_span("GET", header()):
            record = filtered()
            assert (record.trace_id, record.span_id) == tracing.current_ids()
        assert record.trace_id == TRACE

    def test_about_something_that_has_its_own_trace_has_that(self, spans: Spans) -> None:
        with tracing.server_span("GET", None):
            record = filtered(**tracing.ids_of(f"00-{TRACE}-{SPAN}-01"))
        assert (record.trace_id, record.span_id) == (TRACE, SPAN)

    def test_without_a_trace_has_empty_ids(self) -> None:
        record = filtered()
        assert (record.trace_id, record.span_id) == ("", "")


def filtered(**extra: str) -> Any:
    record = logging.makeLogRecord(extra)
    assert RequestIdFilter().filter(record)
    return record


class TestOff:
    def test_is_the_default_and_makes_nothing(self) -> None:
        tracing.start(load(TracedEnvironment, "test", {}), "test")
        assert not tracing.is_on()
        made = [tracing.server_span("GET", header()), tracing.span("a"), tracing.sql_span("b"), tracing.calling("c")]
        assert made[:3] == [tracing.list_span("d", never())] * 3
        assert (tracing.current_span(), tracing.current_traceparent(), tracing.current_trace_id()) == (None, None, None)
        assert tracing.span_of(header()) is None
        with tracing.calling("c") as headers:
            assert headers == {}

    def test_a_wrong_address_is_refused_without_being_shown(self) -> None:
        with pytest.raises(SystemExit, match=r"OTEL_EXPORTER_OTLP_ENDPOINT: .*must begin with http://") as refused:
            load(TracedEnvironment, "test", {"OTEL_EXPORTER_OTLP_ENDPOINT": "user:secret@collector:4317"})
        assert "secret" not in str(refused.value)


def never() -> Iterator[None]:
    raise AssertionError("nobody looks at the members while traces are off")
    yield None


class TestOn:
    def test_starts_once_and_ends_soon_though_nobody_listens(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(tracing, "_spans", None)
        settings = load(TracedEnvironment, "test", {"OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY})
        tracing.start(settings, "test")
        tracing.start(settings, "test")
        with tracing.span("a"):
            pass
        tracing.stop()
        assert not tracing.is_on()
        assert [record.message for record in caplog.records] == ["the collector does not take spans: 1 were dropped"]
        assert "etebar_common.spans" in sys.modules
