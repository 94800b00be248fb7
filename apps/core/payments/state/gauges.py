"""The gauges of the state: name, labels and what they tell."""

from collections.abc import Iterable, Mapping

from prometheus_client.core import GaugeMetricFamily

HELP: Mapping[str, str] = {
    "etebar_database_up": "1 while core's database answers.",
    "etebar_migrations_unapplied": "Migrations that the code has and the database has not.",
    "etebar_pool_available_amount": "What the credit pool has left.",
    "etebar_pool_reserved_amount": "What is pending of it.",
    "etebar_pool_settled_amount": "What was paid out of it.",
    "etebar_pool_funded_amount": "What was ever put into it.",
    "etebar_pool_adjusted_amount": "By how much two people ever corrected it, signed.",
    "etebar_pool_repaid_amount": "What merchants paid back into it, less what was reversed.",
    "etebar_pool_low_water_amount": "Less than this in the pool is low; absent when there is no such mark.",
    "etebar_withdrawals_pending": "Pending withdrawals, each in one class of age.",
    "etebar_withdrawals_pending_amount": "Their money, by class of age.",
    "etebar_withdrawals_pending_oldest_seconds": "Age of the oldest pending withdrawal; 0 without one.",
    "etebar_withdrawals_overdue": "Pending withdrawals that are flagged for staff: unknown for long, or in conflict.",
    "etebar_dispatch_due": "Pending withdrawals that the dispatcher is to ask about now.",
    "etebar_dispatch_due_oldest_seconds": "For how long the first of them has been due; 0 without one.",
    "etebar_webhooks_due": "Events that should be sent to merchants now.",
    "etebar_webhooks_due_oldest_seconds": "For how long the first of them has been due; 0 without one.",
    "etebar_approvals_waiting": "What waits for a second person: limits, adjustments, outcomes.",
    "etebar_decision_oldest_seconds": "How long the oldest outcome that two people decided has waited; 0 without one.",
    "etebar_books_differences": "Differences that the last run of verify_books found.",
    "etebar_books_last_check_timestamp_seconds": "When that run ended (Unix time).",
    "etebar_books_last_check_duration_seconds": "How long it took.",
    "etebar_books_settlement_compared": "1 if it could compare core with settlement.",
    "etebar_redis_up": "1 while Redis answers.",
    "etebar_celery_queue_messages": "Messages that wait in Celery's queue.",
    "etebar_celery_queue_oldest_seconds": "Age of the message that is next; 0 without one.",
    "etebar_certificate_expiry_timestamp_seconds": "When a mounted authority's first certificate ends (Unix time).",
    "etebar_internal_token_rotated_timestamp_seconds": "When core's token for settlement was made (Unix time).",
}
LABELS: Mapping[str, list[str]] = {
    "etebar_withdrawals_pending": ["age"],
    "etebar_withdrawals_pending_amount": ["age"],
    "etebar_celery_queue_messages": ["queue"],
    "etebar_celery_queue_oldest_seconds": ["queue"],
    "etebar_certificate_expiry_timestamp_seconds": ["certificate"],
}


def gauge(name: str, value: object) -> GaugeMetricFamily:
    """One without labels, at this value."""
    return labelled(name, [((), value)])


def labelled(name: str, samples: Iterable[tuple[tuple[str, ...], object]]) -> GaugeMetricFamily:
    """One with these values of its labels."""
    family = GaugeMetricFamily(name, HELP[name], labels=LABELS.get(name, []))
    for values, value in samples:
        family.add_metric(values, float(value))  # type: ignore[arg-type] # numbers, decimals and booleans
    return family


def described() -> list[GaugeMetricFamily]:
    """All of them, without a value."""
    return [labelled(name, []) for name in HELP]
