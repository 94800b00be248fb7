"""Traces: what the services call, wherever a span begins or is asked for (docs/adr/0020).

Off, as it is without OTEL_EXPORTER_OTLP_ENDPOINT, each call is one look at a variable, and OpenTelemetry's SDK is not
imported. On, `etebar_common.spans` does the work. Spans have no parameter of a statement, no header, no body and no
message of an error: what could hold a secret is never given to them.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from etebar_common.environment import TracedEnvironment

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from etebar_common.entered_spans import ServerSpan
    from etebar_common.spans import Spans

Attribute = str | int

_NOTHING: AbstractContextManager[None] = nullcontext()
_NO_HEADERS: AbstractContextManager[dict[str, str]] = nullcontext({})
_spans: "Spans | None" = None


def start(settings: TracedEnvironment, component: str) -> None:
    """Turns traces on if the settings say so; in the process that makes the spans, since threads outlive no fork.

    `component` is what the traces call this process, such as core-web. What is not sent yet at the process's end is
    sent then, unless it ends by a signal: who is ended so calls `stop`.
    """
    global _spans  # noqa: PLW0603 - one per process, set once at start
    if _spans is not None or not settings.otel_exporter_otlp_endpoint:
        return
    from etebar_common.spans import Spans

    _spans = Spans(component, settings)
    # not atexit alone: granian's workers are processes of multiprocessing, which end without it
    Finalize(None, stop, exitpriority=0)


def stop() -> None:
    """Sends what is left, for a few seconds at most, and turns traces off."""
    global _spans
    ending, _spans = _spans, None
    if ending is not None:
        ending.close()


def is_on() -> bool:
    return _spans is not None


def server_span(
    method: str, traceparent: str | None, tracestate: str | None = None
) -> "AbstractContextManager[ServerSpan | None]":
    """A request's own span, in the trace that its W3C headers name; who answers it calls `answered` on it."""
    return _NOTHING if _spans is None else _spans.server(method, traceparent, tracestate)


def span(name: str, **attributes: Attribute) -> "AbstractContextManager[Span | None]":
    """A part of what is at hand; of nothing at hand, a trace of its own."""
    return _NOTHING if _spans is None else _spans.span(name, attributes)


def list_span(name: str, members: "Iterable[Span | None]") -> "AbstractContextManager[Span | None]":
    """What is done for many at once: a part of the first member's trace, linked to the others' and they to it.

    When no member is recorded nothing is, and whoever is called is told so. Without any member it is a `span`.
    """
    return _NOTHING if _spans is None else _spans.of_list(name, members)


def sql_span(statement: str) -> "AbstractContextManager[Span | None]":
    """A statement that a part of a trace runs, named by what it does to what; outside of a trace nothing."""
    return _NOTHING if _spans is None else _spans.sql(statement)


def calling(name: str) -> AbstractContextManager[dict[str, str]]:
    """A call of another service: gives the headers that go with it. The span at hand stays the current one."""
    return _NO_HEADERS if _spans is None else _spans.calling(name)


def publishing(name: str) -> AbstractContextManager[dict[str, str]]:
    """Handing a task to the broker: gives the headers that go with it."""
    return _NO_HEADERS if _spans is None else _spans.publishing(name)


def task_span(name: str, traceparent: str | None) -> "AbstractContextManager[Span | None]":
    """A task's run, in the trace of whoever published it."""
    return _NOTHING if _spans is None else _spans.task(name, traceparent)


def failed(error: BaseException) -> None:
    """Notes at the current span what kind of error ended it."""
    if _spans is not None:
        _spans.failed(error)


def current_span() -> "Span | None":
    """The span at hand, for `list_span`."""
    return None if _spans is None else _spans.current()


def span_of(traceparent: str | None) -> "Span | None":
    """The span that a stored traceparent names, for `list_span`."""
    return None if _spans is None or traceparent is None else _spans.named(traceparent)


def current_traceparent() -> str | None:
    """The W3C traceparent (55 characters) of the span at hand, to be stored; None unless it is recorded."""
    return None if _spans is None else _spans.recorded_traceparent()


def current_trace_id() -> str | None:
    """The trace at hand as 32 hexadecimal digits, for exemplars; None unless it is recorded."""
    traceparent = current_traceparent()
    return None if traceparent is None else traceparent[3:35]


def current_ids() -> tuple[str, str]:
    """Trace and span at hand for a line of the log, recorded or not; empty without one."""
    return ("", "") if _spans is None else _spans.current_ids()


def ids_of(traceparent: str | None) -> dict[str, str]:
    """The `extra` of a line of the log about something that has a trace of its own, whoever writes the line."""
    return {} if traceparent is None else {"trace_id": traceparent[3:35], "span_id": traceparent[36:52]}
