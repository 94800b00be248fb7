"""W3C trace context (https://www.w3.org/TR/trace-context/): which span a header names, and the header of a span."""

import re

from opentelemetry import context
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, TraceFlags, TraceState, set_span_in_context

LONGEST_TRACESTATE = 512
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z", re.ASCII)


def traceparent_of(found: SpanContext) -> str:
    """The header, of which no flag but `sampled` is passed on."""
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags & TraceFlags.SAMPLED:02x}"


def headers_of(span: Span) -> dict[str, str]:
    """What a call from within the span takes along; empty where there is no span."""
    found = span.get_span_context()
    if not found.is_valid:
        return {}
    headers = {"traceparent": traceparent_of(found)}
    if found.trace_state:
        headers["tracestate"] = found.trace_state.to_header()
    return headers


def remote_span(traceparent: str | None, tracestate: str | None) -> Span | None:
    """The span that the headers of a caller name; a header that is none counts as no header."""
    found = _TRACEPARENT.match(traceparent) if traceparent else None
    if found is None or (found[1] == "00" and found[5]):
        return None
    state = TraceState.from_header([tracestate]) if tracestate and len(tracestate) <= LONGEST_TRACESTATE else None
    flags = TraceFlags(int(found[4], 16))
    named = SpanContext(int(found[2], 16), int(found[3], 16), is_remote=True, trace_flags=flags, trace_state=state)
    return NonRecordingSpan(named) if named.is_valid else None


def context_of(span: Span | None) -> context.Context:
    """A context in which the span is the current one, and nothing else is."""
    empty = context.Context()
    return empty if span is None else set_span_in_context(span, empty)


def is_left_out(span: Span) -> bool:
    """Whether it belongs to a trace that is not recorded."""
    found = span.get_span_context()
    return found.is_valid and not found.trace_flags.sampled
