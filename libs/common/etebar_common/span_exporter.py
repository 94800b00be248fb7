"""Sends spans to an OpenTelemetry collector; one that is away costs spans and a line of the log, nothing else."""

import logging
import time
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace import export as sdk

logger = logging.getLogger(__name__)

# per batch, its repetition included; at the end of the process at most two batches take as long
TIMEOUT_SECONDS = 2.0
SECONDS_BETWEEN_LINES = 60.0
# its own lines are one per batch, or tell what a caller's odd header holds
_LEVELS = {
    "opentelemetry": logging.ERROR,
    "opentelemetry.exporter.otlp.proto.http.trace_exporter": logging.CRITICAL,
    # a full queue, told once in 20 seconds
    "opentelemetry.sdk._shared_internal": logging.WARNING,
}


class SpanExporter(sdk.SpanExporter):
    """OTLP over HTTP, protobuf, to `endpoint`/v1/traces; what the collector does not take in time is dropped."""

    def __init__(self, endpoint: str) -> None:
        for name, level in _LEVELS.items():
            logging.getLogger(name).setLevel(level)
        self._inner = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT_SECONDS)
        self._is_away = False
        self._is_ending = False
        self._dropped = 0
        self._told_at = float("-inf")

    def export(self, spans: Sequence[ReadableSpan]) -> sdk.SpanExportResult:
        if self._is_ending and self._is_away:
            return sdk.SpanExportResult.FAILURE
        result = self._inner.export(spans)
        self._is_away = result is not sdk.SpanExportResult.SUCCESS
        if self._is_away:
            self._dropped += len(spans)
            self._tell()
        return result

    def end_soon(self) -> None:
        """From now on a collector that does not answer is not asked again."""
        self._is_ending = True

    def shutdown(self) -> None:
        self._inner.shutdown()  # type: ignore[no-untyped-call]

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._told_at >= SECONDS_BETWEEN_LINES:
            logger.warning("the collector does not take spans: %d were dropped", self._dropped)
            self._told_at, self._dropped = now, 0
