"""The variants that are compared: what core and settlement are told, and what stands beside them."""

import contextlib
import dataclasses
from collections.abc import Iterator

from etebar_bench.observability.beside import Sink, scraping
from etebar_bench.stage import NO_RATE_LIMITS
from etebar_quickstart import Stack


@dataclasses.dataclass(frozen=True)
class Variant:
    """`ratio` is the share of traces that is recorded, None without traces."""

    name: str
    scraped: bool = False
    ratio: float | None = None


NEITHER = Variant("neither")
VARIANTS = (
    NEITHER,
    Variant("metrics", scraped=True),
    Variant("traces, all", ratio=1.0),
    Variant("traces, 10 %", ratio=0.1),
)


@dataclasses.dataclass(frozen=True)
class Services:
    """Starts core and settlement anew as a variant wants them; `ports` are theirs for metrics."""

    stack: Stack
    sink: Sink
    ports: dict[str, int]

    @contextlib.contextmanager
    def running(self, variant: Variant) -> Iterator[dict[str, int]]:
        """Both serve; at the end, by service, how often its metrics were read."""
        self.stack.restart("settlement", env=self._environment("settlement", variant))
        self.stack.restart("core", env=self._environment("core", variant) | NO_RATE_LIMITS)
        with scraping(list(self.ports.values()) if variant.scraped else []) as answers:
            read: dict[str, int] = {}
            yield read
        read |= {name: answers[port] for name, port in self.ports.items() if port in answers}

    def _environment(self, service: str, variant: Variant) -> dict[str, str]:
        return {
            "METRICS_PORT": str(self.ports[service] if variant.scraped else 0),
            "OTEL_EXPORTER_OTLP_ENDPOINT": "" if variant.ratio is None else self.sink.url,
            "OTEL_TRACES_SAMPLE_RATIO": "" if variant.ratio is None else str(variant.ratio),
        }
