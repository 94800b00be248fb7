"""9: a load test beside what it does to the release.

locust's series have the label of their own release, so that the namespace chooses them.
"""

from etebar_observability.model import Board, Query, Row, Unit, none_at_all, rising
from etebar_observability.panels import figure, graph, half_and_most, processes, rate
from etebar_observability.slos import WITHDRAWALS

OF = 'namespace="$namespace"'


def _rate(metric: str, by: str) -> str:
    return f"sum by ($who, {by}) (rate({metric}{{{OF}}}[$__rate_interval]))"


LOCUST = Row(
    "What locust sees",
    (
        figure(
            "Users",
            f"max by ($who) (locust_users{{{OF}}})",
            unit=Unit.COUNT,
            empty="no test runs",
            shows="Users at work.",
            normal="What the test asked for, after its spawning.",
            otherwise="Fewer: workers that do not keep up; more of them.",
        ),
        figure(
            "Workers",
            f"max by ($who) (locust_workers{{{OF}}})",
            unit=Unit.COUNT,
            empty="no test runs",
            shows="Worker processes of a distributed test; 0 of a single process.",
            normal="What the chart's values say.",
            otherwise="Fewer: kubectl get pods.",
        ),
        figure(
            "Requests per second",
            f"sum by ($who) (rate(locust_requests_total{{{OF}}}[$__rate_interval]))",
            unit=Unit.REQUESTS_PER_SECOND,
            empty="no test runs",
            shows="Requests that ended.",
            normal="Level after the spawning.",
            otherwise="Falls while users stay: answers get slower.",
        ),
        figure(
            "Failed or untrue",
            f"sum by ($who) (rate(locust_failures_total{{{OF}}}[$__rate_interval]))",
            unit=Unit.PER_SECOND,
            empty="no test runs",
            steps=none_at_all(0.001),
            shows="Requests that failed, or whose answer was not true.",
            normal="0.",
            otherwise="By name, below; locust's report has the messages.",
        ),
        graph(
            "By name",
            Query(_rate("locust_requests_total", "method, name"), "{{method}} {{name}}"),
            unit=Unit.REQUESTS_PER_SECOND,
            height=5,
            empty="no test runs",
            shows="Requests that ended, by what they were.",
            normal="The mix of docs/how-to/load-testing.md.",
            otherwise="One falls: its answers get slower.",
        ),
        graph(
            "Failed, by name",
            Query(_rate("locust_failures_total", "method, name"), "{{method}} {{name}}"),
            unit=Unit.PER_SECOND,
            empty="none",
            shows="Those that failed or were untrue.",
            normal="None.",
            otherwise="untrue is a bug of core's; failed may be a limit of the machine.",
        ),
        graph(
            "Times, p50",
            Query(f"histogram_quantile(0.5, {_rate('locust_response_seconds_bucket', 'le, name')})", "{{name}}"),
            unit=Unit.SECONDS,
            empty="no test runs",
            shows="Half of the answers came within.",
            normal="docs/benchmarks has this machine's numbers.",
            otherwise="Beside what core measures, below: the difference is the network, the ingress, or locust itself.",
        ),
        graph(
            "Times, p99",
            Query(f"histogram_quantile(0.99, {_rate('locust_response_seconds_bucket', 'le, name')})", "{{name}}"),
            unit=Unit.SECONDS,
            empty="no test runs",
            shows="All but one of 100 answers came within.",
            normal="Below 3 s: the deadline of a withdrawal.",
            otherwise="Where in core: board 3.",
        ),
    ),
)

RELEASE = Row(
    "What it does to the release",
    (
        graph(
            "Withdrawals",
            Query(rate("etebar_withdrawals_total", by="outcome"), "{{outcome}}"),
            unit=Unit.PER_SECOND,
            shows="What became of withdrawals, as core counts them.",
            normal="accepted and settled together.",
            otherwise="accepted above settled: pending ones pile up.",
        ),
        graph(
            "Core's own times",
            *half_and_most("etebar_http_request_duration_seconds", WITHDRAWALS),
            unit=Unit.SECONDS,
            exemplars=True,
            steps=rising(1, 3),
            shows="How long core takes for a withdrawal.",
            normal="Less than locust sees.",
            otherwise="Board 3 tells the stage.",
        ),
        graph(
            "Oldest pending",
            Query("max by ($who) (etebar_withdrawals_pending_oldest_seconds{$here})", "oldest"),
            unit=Unit.SECONDS,
            steps=rising(30, 120),
            shows="The age of the oldest pending withdrawal.",
            normal="Seconds.",
            otherwise="The test asks for more than settlement can do.",
        ),
    ),
)

BOARD = Board(
    uid="etebar-loadtest",
    title="9 Load test",
    shows="What locust sees, beside what core measures of the same requests.",
    rows=(LOCUST, RELEASE, Row("Processes of core-web", processes("core-web"))),
)
