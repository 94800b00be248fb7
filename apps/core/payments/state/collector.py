"""The state of money, books, queue and secrets for Prometheus, looked at when it is asked for (docs/metrics.md).

Beat serves it, because there is one of it: two processes would tell the same twice.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import redis
from django.db import DatabaseError, InterfaceError, connection
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from core import metrics, startup
from core.environment import ENVIRONMENT
from payments.state import secrets, selectors
from payments.state.gauges import described, gauge, labelled
from payments.state.queue import queue

logger = logging.getLogger(__name__)

# several who ask at once, and one who asks often, cost the database one look
FRESH_SECONDS = 5.0

Gauges = Iterable[GaugeMetricFamily]


class StateCollector(Collector):
    """What cannot be read is left out, and `etebar_database_up` and `etebar_redis_up` say so."""

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._looked_at = float("-inf")
        self._seen: list[GaugeMetricFamily] = []

    def describe(self) -> Gauges:
        """So that registering it asks no database."""
        return described()

    def collect(self) -> Gauges:
        with self._looking:
            if time.monotonic() - self._looked_at > FRESH_SECONDS:
                self._seen = list(look())
                self._looked_at = time.monotonic()
            return self._seen


def look() -> Iterator[GaugeMetricFamily]:
    """Everything, by one look."""
    from_database = _or_none(_of_database, DatabaseError, InterfaceError)
    yield gauge("etebar_database_up", from_database is not None)
    yield from from_database or []
    from_redis = _or_none(_of_queue, redis.RedisError, OSError)
    yield gauge("etebar_redis_up", from_redis is not None)
    yield from from_redis or []
    yield labelled(
        "etebar_certificate_expiry_timestamp_seconds", (((name,), at) for name, at in secrets.certificates())
    )
    made_at = secrets.internal_token_made_at()
    if made_at is not None:
        yield gauge("etebar_internal_token_rotated_timestamp_seconds", made_at)


def _or_none(read: Callable[[], Gauges], *errors: type[Exception]) -> Gauges | None:
    try:
        return list(read())
    except errors as error:
        logger.warning("metrics of the state are left out: %s", startup.first_line(error))
        return None


def _of_database() -> Iterator[GaugeMetricFamily]:
    try:
        yield from _of_money(selectors.money())
        yield from _of_books()
        yield from _of_webhooks(selectors.webhooks())
        yield gauge("etebar_migrations_unapplied", startup.count_unapplied())
    finally:
        # scrapes are far apart, and each is a thread of its own
        connection.close()


def _of_money(money: selectors.Money) -> Iterator[GaugeMetricFamily]:
    yield gauge("etebar_pool_available_amount", money.available)
    yield gauge("etebar_pool_reserved_amount", money.reserved)
    yield gauge("etebar_pool_settled_amount", money.settled)
    yield gauge("etebar_pool_funded_amount", money.funded)
    yield gauge("etebar_pool_adjusted_amount", money.adjusted)
    yield gauge("etebar_pool_repaid_amount", money.repaid)
    if ENVIRONMENT.pool_low_water_mark is not None:
        yield gauge("etebar_pool_low_water_amount", ENVIRONMENT.pool_low_water_mark)
    pending = {age: money.pending.get(age, selectors.Pending()) for age in selectors.AGES}
    yield labelled("etebar_withdrawals_pending", (((age,), of.withdrawals) for age, of in pending.items()))
    yield labelled("etebar_withdrawals_pending_amount", (((age,), of.amount) for age, of in pending.items()))
    yield gauge("etebar_withdrawals_pending_oldest_seconds", money.oldest_seconds)
    yield gauge("etebar_withdrawals_overdue", money.overdue)
    yield gauge("etebar_dispatch_due", money.due)
    yield gauge("etebar_dispatch_due_oldest_seconds", money.due_oldest_seconds)
    yield gauge("etebar_approvals_waiting", money.approvals_waiting)
    yield gauge("etebar_decision_oldest_seconds", money.decision_oldest_seconds)


def _of_books() -> Iterator[GaugeMetricFamily]:
    books = selectors.last_books_check()
    if books is not None:
        yield gauge("etebar_books_differences", books.differences)
        yield gauge("etebar_books_last_check_timestamp_seconds", books.finished_at.timestamp())
        yield gauge("etebar_books_last_check_duration_seconds", books.duration_seconds)
        yield gauge("etebar_books_settlement_compared", books.settlement_compared)


def _of_webhooks(webhooks: selectors.Webhooks) -> Iterator[GaugeMetricFamily]:
    yield gauge("etebar_webhooks_due", webhooks.due)
    yield gauge("etebar_webhooks_due_oldest_seconds", webhooks.due_oldest_seconds)


def _of_queue() -> Iterator[GaugeMetricFamily]:
    found = queue()
    yield labelled("etebar_celery_queue_messages", [((found.name,), found.messages)])
    yield labelled("etebar_celery_queue_oldest_seconds", [((found.name,), found.oldest_seconds)])


def serve() -> None:
    """Serves this process's metrics with the state."""
    REGISTRY.register(StateCollector())
    metrics.serve()
