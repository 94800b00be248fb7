"""What became of deliveries that were claimed and sent."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from core import metrics
from core.environment import ENVIRONMENT
from payments.dispatch.backoff import backoff_seconds
from payments.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from payments.webhooks.sender import GONE, Sent

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one attempt at a delivery."""

    delivery: WebhookDelivery
    sent: Sent


@transaction.atomic(durable=True)
def deliveries_record(results: Iterable[Result]) -> None:
    """Writes what became of attempts: delivered, again later, or dead; an endpoint that fails for long is disabled."""
    # in one order everywhere: two deliverers may have an endpoint each
    ordered = sorted(results, key=lambda each: (each.delivery.endpoint_id, each.delivery.pk))
    WebhookAttempt.objects.bulk_create([_attempt(each) for each in ordered])
    for result in ordered:
        if result.sent.is_delivered:
            _delivered(result.delivery)
        else:
            _failed(result.delivery, result.sent)


def _attempt(result: Result) -> WebhookAttempt:
    sent = result.sent
    metrics.WEBHOOK_ATTEMPTS.labels(_outcome(result)).inc()
    metrics.WEBHOOK_SECONDS.observe(sent.duration_ms / 1000)
    return WebhookAttempt(
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
    endpoint = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id)
    # of its own claim only: another one may be on its way by now
    own = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=WebhookDelivery.State.PENDING, attempts=delivery.attempts
    )
    if _was_last(delivery):
        own.update(state=WebhookDelivery.State.DEAD, finished_at=Now(), next_attempt_at=None)
    else:
        own.update(next_attempt_at=Now() + timedelta(seconds=_wait_seconds(delivery.attempts, sent)))
    endpoint.filter(failing_since=None).update(failing_since=Now())
    if sent.status == GONE:
        _disable(endpoint, "the receiver answered 410 Gone")
    hours = ENVIRONMENT.webhook_disable_after_hours
    _disable(
        endpoint.filter(failing_since__lt=Now() - timedelta(hours=hours)), f"every attempt failed for {hours} hours"
    )
    if _was_last(delivery):
        _forget_failures(endpoint)


def _forget_failures(endpoint: QuerySet[WebhookEndpoint]) -> None:
    """When nothing is waited for any more: the next failure may be days away, and tells nothing of the days between."""
    # locked first: of two deliverers that end the last two, the second one sees that none is left
    endpoint.select_for_update(no_key=True).first()
    pending = WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), state=WebhookDelivery.State.PENDING)
    endpoint.filter(~Exists(pending), state=WebhookEndpoint.State.ENABLED).update(failing_since=None)


def _wait_seconds(attempt: int, sent: Sent) -> float:
    cap = ENVIRONMENT.webhook_backoff_cap_seconds
    own = backoff_seconds(attempt, base=ENVIRONMENT.webhook_backoff_base_seconds, cap=cap)
    return max(own, min(sent.retry_after_seconds, cap))


def _disable(endpoints: QuerySet[WebhookEndpoint], reason: str) -> None:
    enabled = endpoints.filter(state=WebhookEndpoint.State.ENABLED)
    if enabled.update(state=WebhookEndpoint.State.DISABLED, state_reason=reason):
        logger.warning("a webhook is disabled: %s", reason)
