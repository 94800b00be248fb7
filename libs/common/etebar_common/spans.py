"""The working half of `etebar_common.tracing`, imported only where traces are on.

The provider is this module's own, not OpenTelemetry's global one: libraries that would instrument themselves find none.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from importlib.metadata import version
from types import TracebackType
from typing import Generic, Self, TypeVar

from opentelemetry import context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)

from etebar_common.span_exporter import SpanExporter

# a list's members are its links; the largest list there is
MOST_LINKS = 1000
QUEUE_SPANS = 8192
BATCH_SPANS = 512
SEND_AFTER_MS = 1000
LONGEST_TRACESTATE = 512
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
FIRST_SERVER_ERROR = 500
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z", re.ASCII)
_WRITE = re.compile(r"(?<!FOR )\b(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\s+\"?(\w+)", re.ASCII)
_READ = re.compile(r"\b(SELECT)\b.*?\bFROM\s+\"?(\w+)", re.ASCII | re.DOTALL)

_NOTHING: AbstractContextManager[None] = nullcontext()
S = TypeVar("S", bound=Span)


class Entered(Generic[S]):
    """Makes a span the current one; at the end it is ended, with the kind of the error that ended it."""

    __slots__ = ("_ends", "_span", "_token")

    def __init__(self, span: S, *, ends: bool = True) -> None:
        self._span = span
        self._ends = ends

    def __enter__(self) -> S:
        self._token = context.attach(set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        context.detach(self._token)
        if self._ends:
            if error is not None:
                note_error(self._span, error)
            self._span.end()


class ServerSpan:
    """A request's span, current while it is entered."""

    __slots__ = ("_entered", "_method", "_span")

    def __init__(self, span: Span, method: str) -> None:
        self._span = span
        self._method = method
        self._entered = Entered(span)

    def __enter__(self) -> Self:
        self._entered.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.__exit__(kind, error, trace)

    def answered(self, route: str, status: int, request_id: str, withdrawal_id: object = None) -> None:
        """Names the span by the route's template and tells how the request was answered."""
        if not self._span.is_recording():
            return
        self._span.update_name(f"{self._method} {route}")
        attributes: dict[str, str | int] = {
            "http.route": route,
            "http.response.status_code": status,
            "etebar.request_id": request_id,
        }
        if withdrawal_id is not None:
            attributes["etebar.withdrawal_id"] = str(withdrawal_id)
        self._span.set_attributes(attributes)
        if status >= FIRST_SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)


class Spans:
    """Makes this process's spans and sends them from a thread of its own; see `etebar_common.tracing`."""

    def __init__(self, component: str, endpoint: str, ratio: float) -> None:
        resource = Resource.create(
            {
                "service.name": component,
                "service.namespace": "etebar",
                "service.version": version("etebar-common"),
            }
        )
        self._exporter = SpanExporter(endpoint)
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(ratio)),
            resource=resource,
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_links=MOST_LINKS),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                self._exporter,
                max_queue_size=QUEUE_SPANS,
                schedule_delay_millis=SEND_AFTER_MS,
                max_export_batch_size=BATCH_SPANS,
            )
        )
        self._tracer = self._provider.get_tracer("etebar")

    def close(self) -> None:
        self._exporter.end_soon()
        self._provider.shutdown()

    def server(self, method: str, traceparent: str | None, tracestate: str | None) -> ServerSpan:
        known = method if method in METHODS else "_OTHER"
        span = self._tracer.start_span(
            known,
            context=_context_of(_remote(traceparent, tracestate)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": known},
        )
        return ServerSpan(span, known)

    def span(self, name: str, attributes: dict[str, str | int]) -> AbstractContextManager[Span | None]:
        return _NOTHING if _is_left_out(get_current_span()) else Entered(self._start(name, attributes))

    def of_list(self, name: str, members: Iterable[Span | None]) -> AbstractContextManager[Span | None]:
        known = {member.get_span_context().span_id: member for member in members if member is not None}
        if not known:
            return self.span(name, {})
        sampled = [member for member in known.values() if not _is_left_out(member)]
        if not sampled:
            # only as the current one: nobody that is called begins a trace of its own
            return Entered(next(iter(known.values())), ends=False)
        parent, *others = sampled
        linked = [*others, caller] if (caller := self.current()) is not None and caller not in sampled else others
        links = [Link(each.get_span_context()) for each in linked]
        span = self._tracer.start_span(name, context=_context_of(parent), links=links)
        for other in others:
            # one that was answered at its deadline has ended
            if other.is_recording():
                other.add_link(span.get_span_context())
        return Entered(span)

    def sql(self, statement: str) -> AbstractContextManager[Span | None]:
        if not get_current_span().get_span_context().trace_flags.sampled:
            return _NOTHING
        summary = summary_of(statement)
        attributes: dict[str, str | int] = {"db.system.name": "postgresql", "db.query.summary": summary}
        return Entered(self._start(summary, attributes, SpanKind.CLIENT))

    @contextmanager
    def calling(self, name: str) -> Iterator[dict[str, str]]:
        current = get_current_span()
        if _is_left_out(current):
            yield _headers(current)
            return
        # never the current one: it may end in a generator, where another context may be the current one by then
        span = self._start(name, {}, SpanKind.CLIENT)
        try:
            yield _headers(span)
        except Exception as error:
            note_error(span, error)
            raise
        finally:
            span.end()

    @contextmanager
    def publishing(self, name: str) -> Iterator[dict[str, str]]:
        span = self._start(name, {"messaging.system": "celery"}, SpanKind.PRODUCER)
        yield _headers(span)
        span.end()

    def task(self, name: str, traceparent: str | None) -> Entered[Span]:
        parent = _context_of(_remote(traceparent, None))
        attributes = {"messaging.system": "celery"}
        return Entered(self._tracer.start_span(name, context=parent, kind=SpanKind.CONSUMER, attributes=attributes))

    @staticmethod
    def failed(error: BaseException) -> None:
        note_error(get_current_span(), error)

    @staticmethod
    def current() -> Span | None:
        span = get_current_span()
        return span if span.get_span_context().is_valid else None

    @staticmethod
    def named(traceparent: str) -> Span | None:
        return _remote(traceparent, None)

    @staticmethod
    def recorded_traceparent() -> str | None:
        found = get_current_span().get_span_context()
        return traceparent_of(found) if found.trace_flags.sampled else None

    @staticmethod
    def current_ids() -> tuple[str, str]:
        found = get_current_span().get_span_context()
        return (f"{found.trace_id:032x}", f"{found.span_id:016x}") if found.is_valid else ("", "")

    def _start(self, name: str, attributes: dict[str, str | int], kind: SpanKind = SpanKind.INTERNAL) -> Span:
        return self._tracer.start_span(name, kind=kind, attributes=attributes)


def note_error(span: Span, error: BaseException) -> None:
    """Its kind only: its message may hold what a caller sent or a row has."""
    if span.is_recording():
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR)


@lru_cache(maxsize=512)
def summary_of(statement: str) -> str:
    """What a statement does to which table or function: `SELECT payments_reserve`, `UPDATE payouts`."""
    found = _WRITE.search(statement) or _READ.search(statement)
    if found is None:
        return statement.split(maxsplit=1)[0].upper() if statement.strip() else "SQL"
    return f"{found[1].split()[0]} {found[2]}"


def traceparent_of(found: SpanContext) -> str:
    """The W3C header (https://www.w3.org/TR/trace-context/)."""
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags & TraceFlags.SAMPLED:02x}"


def _headers(span: Span) -> dict[str, str]:
    found = span.get_span_context()
    if not found.is_valid:
        return {}
    headers = {"traceparent": traceparent_of(found)}
    if found.trace_state:
        headers["tracestate"] = found.trace_state.to_header()
    return headers


def _remote(traceparent: str | None, tracestate: str | None) -> Span | None:
    """The span that the headers of a caller name; a header that is none counts as no header."""
    found = _TRACEPARENT.match(traceparent) if traceparent else None
    if found is None or (found[1] == "00" and found[5]):
        return None
    state = TraceState.from_header([tracestate]) if tracestate and len(tracestate) <= LONGEST_TRACESTATE else None
    flags = TraceFlags(int(found[4], 16))
    named = SpanContext(int(found[2], 16), int(found[3], 16), is_remote=True, trace_flags=flags, trace_state=state)
    return NonRecordingSpan(named) if named.is_valid else None


def _context_of(span: Span | None) -> context.Context:
    empty = context.Context()
    return empty if span is None else set_span_in_context(span, empty)


def _is_left_out(span: Span) -> bool:
    """Whether it belongs to a trace that is not recorded."""
    found = span.get_span_context()
    return found.is_valid and not found.trace_flags.sampled
