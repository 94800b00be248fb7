"""What a dashboard is made of, before it is Grafana's JSON.

An expression may say `$here` for the matchers of the chosen release. `$who` are the labels that tell releases apart.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

HERE = 'namespace="$namespace", release="$release"'
WHO = "namespace, release"


class Unit(StrEnum):
    """Grafana's ids of the units that we use."""

    COUNT = "short"
    MONEY = "locale"
    SECONDS = "s"
    BYTES = "bytes"
    BYTES_PER_SECOND = "Bps"
    SHARE = "percentunit"
    PER_SECOND = "ops"
    REQUESTS_PER_SECOND = "reqps"
    MONEY_PER_SECOND = "none"
    TIMES = "suffix:x"
    YES_OR_NO = "bool_yes_no"


class Colour(StrEnum):
    """One meaning each, on every board."""

    GOOD = "green"
    WARN = "orange"
    BAD = "red"
    NEUTRAL = "blue"


class Kind(StrEnum):
    """Grafana's panel types that we use."""

    GRAPH = "timeseries"
    FIGURE = "stat"
    TABLE = "table"
    HEATMAP = "heatmap"
    STATES = "state-timeline"


@dataclass(frozen=True, slots=True)
class Step:
    """From `value` on (None: from the lowest) it is of that colour."""

    value: float | None
    colour: Colour


NEUTRAL = (Step(None, Colour.NEUTRAL),)


def rising(warn: float, bad: float) -> tuple[Step, ...]:
    """Good below `warn`, bad from `bad` on."""
    return (Step(None, Colour.GOOD), Step(warn, Colour.WARN), Step(bad, Colour.BAD))


def falling(warn: float, bad: float) -> tuple[Step, ...]:
    """Bad below `bad`, good from `warn` on."""
    return (Step(None, Colour.BAD), Step(bad, Colour.WARN), Step(warn, Colour.GOOD))


def none_at_all(least: float = 1) -> tuple[Step, ...]:
    """Good at zero, bad from `least` on."""
    return (Step(None, Colour.GOOD), Step(least, Colour.BAD))


def all_of(whole: float = 1) -> tuple[Step, ...]:
    """Bad below `whole`."""
    return (Step(None, Colour.BAD), Step(whole, Colour.GOOD))


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression, and what its series are called."""

    expression: str
    legend: str

    @property
    def expanded(self) -> str:
        """As Grafana is given it."""
        return self.expression.replace("$here", HERE).replace("$who", WHO)


@dataclass(frozen=True, slots=True)
class Panel:
    """`shows`, `normal` and `otherwise` (what to look at when it is not normal) become its description.

    `runbooks` are names of alerts. `empty` is what stands there when there are no data.
    """

    kind: Kind
    title: str
    queries: tuple[Query, ...]
    unit: Unit
    shows: str
    normal: str
    otherwise: str
    runbooks: tuple[str, ...] = ()
    steps: tuple[Step, ...] = NEUTRAL
    width: int = 8
    height: int = 8
    stacked: bool = False
    exemplars: bool = False
    decimals: int | None = None
    empty: str = "no data"
    names: tuple[tuple[str, str, Colour], ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """For the panel's corner."""
        return f"{self.shows}\n\n**Normal:** {self.normal}\n\n**Otherwise:** {self.otherwise}"

    def sized(self, width: int, height: int | None = None) -> Self:
        """The same, `width` of 24 columns wide."""
        return replace(self, width=width, height=height or self.height)


@dataclass(frozen=True, slots=True)
class Row:
    """A heading and its panels, laid out from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard; `uid` is its address and never changes."""

    uid: str
    title: str
    shows: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Those of all rows."""
        return tuple(panel for row in self.rows for panel in row.panels)
