"""The kinds of panels, with what is the same for all of a kind; and expressions that several boards ask."""

from typing import Any

from etebar_observability.model import Colour, Kind, Panel, Query, Unit, none_at_all

FIGURE_WIDTH, FIGURE_HEIGHT = 4, 5


def graph(title: str, *queries: Query, unit: Unit, **rest: Any) -> Panel:
    """Lines over time."""
    return Panel(Kind.GRAPH, title, queries, unit, **rest)


def figure(title: str, expression: str, *, unit: Unit, **rest: Any) -> Panel:
    """One number, now."""
    rest = {"width": FIGURE_WIDTH, "height": FIGURE_HEIGHT, **rest}
    return Panel(Kind.FIGURE, title, (Query(expression, title),), unit, **rest)


def table(title: str, query: Query, *, columns: tuple[str, ...], **rest: Any) -> Panel:
    """A line for each series, now, with some of its labels and its value."""
    rest = {"unit": Unit.COUNT, **rest}
    return Panel(Kind.TABLE, title, (query,), columns=columns, **rest)


def heatmap(title: str, expression: str, *, unit: Unit, **rest: Any) -> Panel:
    """A histogram's buckets over time; the expression is summed by `le`."""
    return Panel(Kind.HEATMAP, title, (Query(expression, "{{le}}"),), unit, **rest)


def up_or_down(title: str, query: Query, **rest: Any) -> Panel:
    """One bar per series, which is up at 1 and down at 0."""
    names = (("1", "up", Colour.GOOD), ("0", "down", Colour.BAD))
    return Panel(Kind.STATES, title, (query,), Unit.COUNT, names=names, **rest)


def rate(metric: str, matchers: str = "", *, by: str = "") -> str:
    """Per second, of the chosen release."""
    labels = f", {by}" if by else ""
    chosen = f", {matchers}" if matchers else ""
    return f"sum by ($who{labels}) (rate({metric}{{$here{chosen}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, matchers: str = "", *, by: str = "") -> str:
    """A quantile of a histogram without its `_bucket`."""
    labels = f", {by}" if by else ""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', matchers, by=f'le{labels}')})"


def mean(histogram: str, matchers: str = "", *, by: str = "") -> str:
    """The mean of what a histogram observed."""
    return f"{rate(f'{histogram}_sum', matchers, by=by)} / {rate(f'{histogram}_count', matchers, by=by)}"


def half_and_most(histogram: str, matchers: str = "") -> tuple[Query, Query]:
    """p50 and p99."""
    return (Query(quantile(0.5, histogram, matchers), "p50"), Query(quantile(0.99, histogram, matchers), "p99"))


def processes(component: str) -> tuple[Panel, ...]:
    """What the processes of a component use; core-worker's do not tell."""
    of = f'$here, component="{component}"'
    restarts = f"sum by ($who, pod) (changes(process_start_time_seconds{{{of}}}[1h]))"
    return (
        graph(
            "CPU",
            Query(f"sum by ($who, pod) (rate(process_cpu_seconds_total{{{of}}}[$__rate_interval]))", "{{pod}}"),
            unit=Unit.COUNT,
            shows="Cores that each process uses.",
            normal="Follows the load, below the pod's limit; one Python process uses little more than 1.",
            otherwise="At 1 for minutes: more pods (autoscaling). High without load: the profiling how-to.",
        ),
        graph(
            "Memory",
            Query(f"sum by ($who, pod) (process_resident_memory_bytes{{{of}}})", "{{pod}}"),
            unit=Unit.BYTES,
            shows="Resident memory of each process.",
            normal="Level after the first hour.",
            otherwise="Rises steadily: a leak. The kernel ends the process at its limit; nothing acknowledged is lost.",
        ),
        graph(
            "Restarts in the last hour",
            Query(restarts, "{{pod}}"),
            unit=Unit.COUNT,
            steps=none_at_all(),
            shows="How often a process of a pod began anew.",
            normal="0. A rollout makes new pods, which do not count.",
            otherwise="kubectl describe pod tells the last state, kubectl logs --previous its last words.",
        ),
    )
