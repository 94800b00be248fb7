"""An OpenTelemetry collector of our own: keeps what it is sent by OTLP over HTTP."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Proto


@dataclass(frozen=True)
class Span:
    """A span as it was received; ids are hexadecimal, `parent` is empty of a root."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent: str
    links: frozenset[str]
    attributes: dict[str, str | int | float | bool]
    is_error: bool


class Collector:
    """What was received so far; may be read while more comes."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._lock = threading.Lock()
        self.bodies: list[bytes] = []
        self.url = ""

    def receive(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        spans = [
            _span(str(_values(resource.resource.attributes)["service.name"]), span)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._lock:
            self._spans += spans
            self.bodies.append(body)

    def spans(self) -> list[Span]:
        with self._lock:
            return list(self._spans)

    def of_trace(self, trace_id: str) -> "Trace":
        return Trace([span for span in self.spans() if span.trace_id == trace_id])


class Trace:
    """The spans of one trace."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = list(spans)

    def tree(self) -> str:
        """A line per span, `service name`, indented below its parent, in alphabetical order."""
        known = {span.span_id for span in self.spans}
        tops = self._sorted([span for span in self.spans if span.parent not in known])
        return "\n".join(line for span in tops for line in self._below(span, ""))

    def named(self, service: str, name: str) -> Span:
        """The one span of that name."""
        (found,) = (span for span in self.spans if (span.service, span.name) == (service, name))
        return found

    def _below(self, span: Span, indent: str) -> list[str]:
        children = self._sorted([child for child in self.spans if child.parent == span.span_id])
        lines = [line for child in children for line in self._below(child, indent + "  ")]
        return [f"{indent}{span.service} {span.name}", *lines]

    @staticmethod
    def _sorted(spans: list[Span]) -> list[Span]:
        return sorted(spans, key=lambda span: (span.service, span.name))


@contextlib.contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port of this host; `url` is what OTEL_EXPORTER_OTLP_ENDPOINT is to be."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            collector.receive(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        collector.url = f"http://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        try:
            yield collector
        finally:
            server.shutdown()
            serving.join()


def _span(service: str, span: Proto) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=Proto.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=frozenset(link.span_id.hex() for link in span.links),
        attributes=_values(span.attributes),
        is_error=span.status.code == 2,
    )


def _values(attributes: Sequence[KeyValue]) -> dict[str, str | int | float | bool]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
