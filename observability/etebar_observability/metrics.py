"""What metrics there are, so that no expression names one that nobody serves."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from etebar_quickstart.paths import REPOSITORY

OTHERS = Path(__file__).with_name("other_metrics.txt")
# made from the code that counts, and held fresh by `make lint`
PAGE = REPOSITORY / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)
# what Prometheus knows of a target, in every installation
TARGET_LABELS = frozenset({"namespace", "pod", "container", "release", "component", "job", "instance"})
SERIES_OF = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}


@dataclass(frozen=True, slots=True)
class Metric:
    """`labels` without those of its target."""

    kind: str
    name: str
    labels: frozenset[str]

    @property
    def series(self) -> tuple[str, ...]:
        """The names that an expression may use."""
        return tuple(self.name + ending for ending in SERIES_OF.get(self.kind, ("",)))


def known() -> dict[str, Metric]:
    """All metrics, by the names of their series."""
    return {series: metric for metric in (*ours(), *others()) for series in metric.series}


def ours() -> list[Metric]:
    """What our own code serves, as docs/metrics.md has it: a metric that is renamed in code is unknown here."""
    return [_metric(kind, name, re.findall(r"`(\w+)`", labels)) for name, kind, labels in ROW.findall(PAGE.read_text())]


def others() -> list[Metric]:
    """What Prometheus, the exporters, locust and prometheus_client itself serve."""
    lines = (line.split() for line in OTHERS.read_text().splitlines() if line and line[0] not in "#[")
    return [_metric(kind, name, labels) for kind, name, *labels in lines]


def _metric(kind: str, name: str, labels: Iterable[str]) -> Metric:
    return Metric(kind, name, frozenset(labels) | ({"le"} if kind == "histogram" else set()))
