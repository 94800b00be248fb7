"""What settlement tells Prometheus, beside etebar_common.metrics; served on METRICS_PORT."""

from importlib.metadata import version

from prometheus_client import Counter, Gauge, Histogram

from etebar_common import metrics
from settlement.rails.base import Verdict
from settlement.settings import Settings

PAYOUTS = Counter(
    "etebar_payouts_total",
    "Payouts that the rail was asked to pay, or asked about (status), by its answer.",
    ["rail", "call", "outcome"],
)
RAIL_SECONDS = Histogram(
    "etebar_rail_call_duration_seconds",
    "How long the rail took; a list that it took as one counts once.",
    ["rail", "call"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_FLIGHT = Gauge("etebar_payouts_in_flight", "Payouts that are with the rail.")
CONFLICTS = Counter("etebar_payouts_conflicts_total", "Orders under the id of a payout of other content: not paid.")
TOKEN_REJECTIONS = Counter(
    "etebar_internal_token_rejections_total", "Requests whose X-Internal-Token was missing or wrong.", ["reason"]
)

metrics.begin_at_zero(TOKEN_REJECTIONS, ("missing",), ("wrong",))


def serve(settings: Settings) -> int | None:
    """Answers /metrics on METRICS_PORT or the next free one; returns the port, None when METRICS_PORT is 0."""
    rail = settings.rail.value
    answers = [(rail, call, verdict.value) for call in ("pay", "status") for verdict in Verdict]
    metrics.begin_at_zero(PAYOUTS, *answers)
    return metrics.serve(settings, version("etebar-settlement"))
