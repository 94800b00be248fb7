"""What is to be delivered now, and what became of it: claimed under a lease, sent outside any transaction, recorded.

A deliverer that dies leaves its claims alone until the lease is over; then they are sent again, with the same id.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from core import metrics
from core.environment import ENVIRONMENT
from payments.dispatch.backoff import backoff_seconds
from payments.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.webhooks.sender import GONE, Sent

logger = logging.getLogger(__name__)

# longer than an attempt may take, with looking up its name
LEASE_SECONDS = 60.0

# Of each endpoint no more than may be on its way to it, so that one that hangs leaves the places to the others.
CLAIM = """
UPDATE payments_webhookdelivery SET attempts = attempts + 1, next_attempt_at = now() + make_interval(secs => %(lease)s)
WHERE id IN (
    SELECT d.id FROM payments_webhookendpoint AS e
    LEFT JOIN unnest(%(busy)s::uuid[], %(sending)s::int[]) AS b (endpoint_id, sending) ON b.endpoint_id = e.id
    CROSS JOIN LATERAL (
        SELECT id, next_attempt_at FROM payments_webhookdelivery
        WHERE endpoint_id = e.id AND state = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT greatest(%(each)s - coalesce(b.sending, 0), 0) FOR UPDATE SKIP LOCKED) AS d
    WHERE e.state = 'enabled' ORDER BY d.next_attempt_at LIMIT %(places)s)
RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt at a delivery."""

    delivery: WebhookDelivery
    sent: Sent


@transaction.atomic(durable=True)
def deliveries_claim(places: int, sending: Mapping[UUID, int]) -> list[WebhookDelivery]:
    """At most `places` deliveries that are due, loaded with all that is sent; no other deliverer gets them meanwhile.

    `sending` is how many are on their way to each endpoint.
    """
    parameters: dict[str, Any] = {
        "lease": LEASE_SECONDS,
        "busy": [str(each) for each in sending],
        "sending": list(sending.values()),
        "each": ENVIRONMENT.webhook_concurrency_per_endpoint,
        "places": places,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, parameters)
        claimed = [row[0] for row in cursor.fetchall()]
    if not claimed:
        return []
    return list(WebhookDelivery.objects.filter(pk__in=claimed).select_related("endpoint", "withdrawal"))


@transaction.atomic(durable=True)
def deliveries_record(results: Iterable[Result]) -> None:
    """Writes what became of attempts: delivered, again later, or dead; an endpoint that fails for long is disabled."""
    # in one order everywhere: two deliverers may have an endpoint each
    for result in sorted(results, key=lambda each: (each.delivery.endpoint_id, each.delivery.pk)):
        _log(result)
        if result.sent.is_delivered:
            _delivered(result.delivery)
        else:
            _failed(result.delivery, result.sent)


def _log(result: Result) -> None:
    sent = result.sent
    metrics.WEBHOOK_ATTEMPTS.labels(_outcome(result)).inc()
    metrics.WEBHOOK_SECONDS.observe(sent.duration_ms / 1000)
    WebhookAttempt.objects.create(
        delivery=result.delivery,
        number=result.delivery.attempts,
        status=sent.status,
        error=sent.error,
        duration_ms=sent.duration_ms,
    )


def _outcome(result: Result) -> str:
    if result.sent.is_delivered:
        return "delivered"
    return "dead" if _was_last(result.delivery) else "failed"


def _was_last(delivery: WebhookDelivery) -> bool:
    return delivery.attempts >= ENVIRONMENT.webhook_attempts


def _delivered(delivery: WebhookDelivery) -> None:
    # whoever claimed it meanwhile sends it for nothing; that it was taken is true all the same
    ended = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=WebhookDelivery.State.DELIVERED)
    ended.update(state=WebhookDelivery.State.DELIVERED, finished_at=Now(), next_attempt_at=None)
    WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, failing_since__isnull=False).update(failing_since=None)


def _failed(delivery: WebhookDelivery, sent: Sent) -> None:
    # of its own claim only: another one may be on its way by now
    own = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=WebhookDelivery.State.PENDING, attempts=delivery.attempts
    )
    if _was_last(delivery):
        own.update(state=WebhookDelivery.State.DEAD, finished_at=Now(), next_attempt_at=None)
    else:
        own.update(next_attempt_at=Now() + timedelta(seconds=_wait_seconds(delivery.attempts, sent)))
    endpoint = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id)
    endpoint.filter(failing_since=None).update(failing_since=Now())
    if sent.status == GONE:
        _disable(endpoint, "the receiver answered 410 Gone")
    hours = ENVIRONMENT.webhook_disable_after_hours
    _disable(
        endpoint.filter(failing_since__lt=Now() - timedelta(hours=hours)), f"every attempt failed for {hours} hours"
    )


def _wait_seconds(attempt: int, sent: Sent) -> float:
    cap = ENVIRONMENT.webhook_backoff_cap_seconds
    own = backoff_seconds(attempt, base=ENVIRONMENT.webhook_backoff_base_seconds, cap=cap)
    return max(own, min(sent.retry_after_seconds, cap))


def _disable(endpoints: QuerySet[WebhookEndpoint], reason: str) -> None:
    enabled = endpoints.filter(state=WebhookEndpoint.State.ENABLED)
    if enabled.update(state=WebhookEndpoint.State.DISABLED, state_reason=reason):
        logger.warning("a webhook is disabled: %s", reason)
