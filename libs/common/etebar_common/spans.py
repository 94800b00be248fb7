"""The working half of `etebar_common.tracing`, imported only where traces are on.

The provider is this module's own, not OpenTelemetry's global one: libraries that would instrument themselves find none.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache
from importlib.metadata import version

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, get_current_span

from etebar_common.entered_spans import Entered, ServerSpan, note_error
from etebar_common.environment import TracedEnvironment
from etebar_common.span_exporter import SpanExporter
from etebar_common.trace_context import context_of, headers_of, is_left_out, remote_span, traceparent_of

# a list's members are its links; the largest list there is
MOST_LINKS = 1000
QUEUE_SPANS = 8192
BATCH_SPANS = 512
SEND_AFTER_MS = 1000
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WRITE = re.compile(r"(?<!FOR )\b(INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\s+\"?(\w+)", re.ASCII)
_READ = re.compile(r"\b(SELECT)\b.*?\bFROM\s+\"?(\w+)", re.ASCII | re.DOTALL)

_NOTHING: AbstractContextManager[None] = nullcontext()


class Spans:
    """Makes this process's spans and sends them from a thread of its own; see `etebar_common.tracing`."""

    def __init__(self, component: str, settings: TracedEnvironment) -> None:
        resource = Resource.create(
            {
                "service.name": component,
                "service.namespace": "etebar",
                "service.version": settings.etebar_version or version("etebar-common"),
            }
        )
        self._exporter = SpanExporter(settings.otel_exporter_otlp_endpoint)
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.otel_traces_sample_ratio)),
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
            context=context_of(remote_span(traceparent, tracestate)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": known},
        )
        return ServerSpan(span, known)

    def span(self, name: str, attributes: dict[str, str | int]) -> AbstractContextManager[Span | None]:
        return _NOTHING if is_left_out(get_current_span()) else Entered(self._start(name, attributes))

    def of_list(self, name: str, members: Iterable[Span | None]) -> AbstractContextManager[Span | None]:
        known = {member.get_span_context().span_id: member for member in members if member is not None}
        if not known:
            return self.span(name, {})
        sampled = [member for member in known.values() if not is_left_out(member)]
        if not sampled:
            # only as the current one: nobody that is called begins a trace of its own
            return Entered(next(iter(known.values())), ends=False)
        parent, *others = sampled
        linked = [*others, caller] if (caller := self.current()) is not None and caller not in sampled else others
        links = [Link(each.get_span_context()) for each in linked]
        span = self._tracer.start_span(name, context=context_of(parent), links=links)
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
        if is_left_out(current):
            yield headers_of(current)
            return
        # never the current one: it may end in a generator, where another context may be the current one by then
        span = self._start(name, {}, SpanKind.CLIENT)
        try:
            yield headers_of(span)
        except Exception as error:
            note_error(span, error)
            raise
        finally:
            span.end()

    @contextmanager
    def publishing(self, name: str) -> Iterator[dict[str, str]]:
        span = self._start(name, {"messaging.system": "celery"}, SpanKind.PRODUCER)
        yield headers_of(span)
        span.end()

    def task(self, name: str, traceparent: str | None) -> Entered[Span]:
        parent = context_of(remote_span(traceparent, None))
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
        return remote_span(traceparent, None)

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


@lru_cache(maxsize=512)
def summary_of(statement: str) -> str:
    """What a statement does to which table or function: `SELECT payments_reserve`, `UPDATE payouts`."""
    found = _WRITE.search(statement) or _READ.search(statement)
    if found is None:
        return statement.split(maxsplit=1)[0].upper() if statement.strip() else "SQL"
    return f"{found[1].split()[0]} {found[2]}"
