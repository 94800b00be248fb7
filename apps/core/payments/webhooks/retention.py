"""Keeps the log of deliveries short: it is for looking, and no part of the books."""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from core.environment import ENVIRONMENT
from payments.batches import by_batches
from payments.models import WebhookDelivery, WebhookEndpoint

logger = logging.getLogger(__name__)

BATCH_ROWS = 2_000
BUDGET_SECONDS = 60.0


def remove_old(*, batch_rows: int = BATCH_ROWS, budget_seconds: float = BUDGET_SECONDS) -> int:
    """Deletes deliveries that ended more than WEBHOOK_LOG_RETENTION_DAYS ago, with their attempts; how many.

    A batch is a transaction. What is pending is never removed; to an endpoint that is deleted it ends, as dead.
    """
    before = timezone.now() - timedelta(days=ENVIRONMENT.webhook_log_retention_days)
    ends_at = time.monotonic() + budget_seconds
    by_batches(_end_batch, batch_rows, ends_at)
    removed = by_batches(lambda rows: _remove_batch(before, rows), batch_rows, ends_at)
    if removed:
        logger.info("webhooks: %d deliveries from before %s are removed", removed, before.isoformat())
    return removed


@transaction.atomic
def _end_batch(rows: int) -> int:
    left = WebhookDelivery.objects.filter(
        endpoint__state=WebhookEndpoint.State.DELETED, state=WebhookDelivery.State.PENDING
    )
    # one that was claimed before the endpoint was deleted is recorded by who has it
    chosen = list(left.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:rows])
    ended = WebhookDelivery.objects.filter(pk__in=chosen)
    return ended.update(state=WebhookDelivery.State.DEAD, next_attempt_at=None, finished_at=timezone.now())


@transaction.atomic
def _remove_batch(before: datetime, rows: int) -> int:
    old = WebhookDelivery.objects.exclude(state=WebhookDelivery.State.PENDING).filter(finished_at__lt=before)
    # one that is being replayed is not waited for
    chosen = list(old.select_for_update(skip_locked=True).order_by("finished_at").values_list("pk", flat=True)[:rows])
    WebhookDelivery.objects.filter(pk__in=chosen).delete()
    return len(chosen)
