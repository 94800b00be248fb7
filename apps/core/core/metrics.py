"""What core's processes tell Prometheus of their own work, beside etebar_common.metrics; served on METRICS_PORT.

What the database and Redis hold is told by payments.state, once for all processes.
"""

from importlib.metadata import version

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from core.environment import ENVIRONMENT
from etebar_common import metrics
from etebar_common.problems import InsufficientCredit, InsufficientPool, MerchantNotActive, PayoutFailed

STAGE_BUCKETS_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

LIST_MEMBERS = Histogram(
    "etebar_group_commit_members",
    "Withdrawals in one list, by stage.",
    ["stage"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
WAIT_SECONDS = Histogram(
    "etebar_group_commit_wait_seconds",
    "How long a withdrawal waited for its list to begin, by stage.",
    ["stage"],
    buckets=STAGE_BUCKETS_SECONDS,
)
GATE_SECONDS = Histogram(
    "etebar_group_commit_gate_seconds",
    "How long a worker of a stage waited at its gate, by stage.",
    ["stage"],
    buckets=STAGE_BUCKETS_SECONDS,
)
LIST_SECONDS = Histogram(
    "etebar_group_commit_duration_seconds",
    "How long a list took, by stage.",
    ["stage"],
    buckets=STAGE_BUCKETS_SECONDS,
)
OUTCOMES = Counter(
    "etebar_group_commit_outcomes_total",
    "What became of the members of lists, by stage: the outcomes of reserve, settle and confirm.",
    ["stage", "outcome"],
)
WITHDRAWALS = Counter(
    "etebar_withdrawals_total",
    "New withdrawals, each counted after COMMIT: accepted or refused once, and settled or failed once.",
    ["outcome", "code"],
)
WITHDRAWN = Counter(
    "etebar_withdrawals_amount_total", "The money of withdrawals that were accepted, settled and failed.", ["outcome"]
)
FINAL_SECONDS = Histogram(
    "etebar_withdrawal_time_to_final_seconds",
    "How long withdrawals took from their acceptance until they were settled or failed.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600),
)
IDEMPOTENCY = Counter(
    "etebar_idempotency_total",
    "Requests whose Idempotency-Key was known: replayed, reused for another request, or in progress.",
    ["result"],
)
RATE_LIMITED = Counter("etebar_rate_limited_total", "Requests over a rate limit, by the limit's name.", ["limit"])
SETTLEMENT_ERRORS = Counter(
    "etebar_settlement_errors_total",
    "Calls of settlement without an answer that can be used: timeout, unreachable, status, not_understood.",
    ["reason"],
)
DISPATCH_ATTEMPTS = Counter(
    "etebar_dispatch_attempts_total",
    "The dispatcher's questions about withdrawals, by what came back.",
    ["outcome"],
)
WEBHOOK_ATTEMPTS = Counter(
    "etebar_webhook_attempts_total",
    "Attempts to deliver an event to a merchant: delivered, failed, or dead when it was the last.",
    ["outcome"],
)
WEBHOOK_SECONDS = Histogram(
    "etebar_webhook_attempt_duration_seconds",
    "How long receivers took.",
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
REFUSALS = (InsufficientCredit, InsufficientPool, MerchantNotActive)

metrics.begin_at_zero(WITHDRAWALS, ("accepted", ""), ("settled", ""), ("failed", PayoutFailed.code))
metrics.begin_at_zero(
    WITHDRAWALS, *(("refused", each.code) for each in (InsufficientCredit, InsufficientPool, MerchantNotActive))
)
metrics.begin_at_zero(WITHDRAWN, ("accepted",), ("settled",), ("failed",))
metrics.begin_at_zero(IDEMPOTENCY, ("replayed",), ("reused",), ("in_progress",))
metrics.begin_at_zero(RATE_LIMITED, ("address",), ("merchant",), ("token",), ("token_account",), ("register",))
metrics.begin_at_zero(SETTLEMENT_ERRORS, ("timeout",), ("unreachable",), ("status",), ("not_understood",))
metrics.begin_at_zero(WEBHOOK_ATTEMPTS, ("delivered",), ("failed",), ("dead",))
metrics.begin_at_zero(DISPATCH_ATTEMPTS, ("paid",), ("refused",), ("pending",), ("conflict",), ("unknown",))


def serve(registry: CollectorRegistry = REGISTRY) -> int | None:
    """Answers /metrics on METRICS_PORT or the next free one; returns the port, None when METRICS_PORT is 0."""
    return metrics.serve(ENVIRONMENT, version("etebar-core"), registry)
