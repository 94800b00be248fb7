"""What metrics there are, so that no expression names one that nobody serves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONTRACT = Path(__file__).with_name("metrics_contract.txt")
OURS = "ours"
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
    """What our own code serves."""
    return [metric for section, metric in _contract() if section == OURS]


def others() -> list[Metric]:
    """What Prometheus and the exporters serve."""
    return [metric for section, metric in _contract() if section != OURS]


def _contract() -> Iterator[tuple[str, Metric]]:
    section = ""
    for line in CONTRACT.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            kind, name, *labels = line.split()
            extra = {"le"} if kind == "histogram" else set()
            yield section, Metric(kind, name, frozenset(labels) | extra)
