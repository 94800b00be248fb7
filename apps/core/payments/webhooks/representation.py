"""How webhooks look in JSON."""

from typing import Any

from django.utils import timezone

from payments.answers import timestamp
from payments.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

# of what was given up: an endpoint that was away for days has more than anybody waits for
MOST_COUNTED = 10_000


def endpoint_members(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """The members of an endpoint; `dead` is counted, as far as MOST_COUNTED."""
    dead = endpoint.deliveries.filter(state=WebhookDelivery.State.DEAD)
    until = endpoint.previous_until
    return {
        "id": str(endpoint.pk),
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": endpoint.event_types,
        "state": endpoint.state,
        "state_reason": endpoint.state_reason,
        "failing_since": timestamp(endpoint.failing_since),
        "dead": dead[:MOST_COUNTED].count(),
        "previous_secret_until": timestamp(until if until and until > timezone.now() else None),
        "created_at": timestamp(endpoint.created_at),
    }


def delivery_members(delivery: WebhookDelivery) -> dict[str, Any]:
    """The members of a delivery."""
    return {
        "id": delivery.pk,
        "event_id": delivery.event_id,
        "type": delivery.type,
        "withdrawal_id": str(delivery.withdrawal_id) if delivery.withdrawal_id else None,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "occurred_at": timestamp(delivery.occurred_at),
        "next_attempt_at": timestamp(delivery.next_attempt_at),
        "finished_at": timestamp(delivery.finished_at),
    }


def attempt_members(attempt: WebhookAttempt) -> dict[str, Any]:
    """The members of an attempt."""
    return {
        "number": attempt.number,
        "status": attempt.status,
        "error": attempt.error,
        "duration_ms": attempt.duration_ms,
        "created_at": timestamp(attempt.created_at),
    }
