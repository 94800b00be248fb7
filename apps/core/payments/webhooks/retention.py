"""Removes old rows of the log of deliveries: it is for looking, and no part of the books."""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from core.environment import ENVIRONMENT
from payments.models import WebhookDelivery

logger = logging.getLogger(__name__)

BATCH_ROWS = 2_000
BUDGET_SECONDS = 60.0


def remove_old(*, batch_rows: int = BATCH_ROWS, budget_seconds: float = BUDGET_SECONDS) -> int:
    """Deletes deliveries that ended more than WEBHOOK_LOG_RETENTION_DAYS ago, with their attempts; how many.

    A batch is a transaction. What is pending is never removed.
    """
    before = timezone.now() - timedelta(days=ENVIRONMENT.webhook_log_retention_days)
    ends_at = time.monotonic() + budget_seconds
    removed, batch = 0, batch_rows
    while batch == batch_rows and (not removed or time.monotonic() < ends_at):
        batch = _remove_batch(before, batch_rows)
        removed += batch
    if removed:
        logger.info("webhooks: %d deliveries from before %s are removed", removed, before.isoformat())
    return removed


@transaction.atomic
def _remove_batch(before: datetime, rows: int) -> int:
    old = WebhookDelivery.objects.exclude(state=WebhookDelivery.State.PENDING).filter(finished_at__lt=before)
    # one that is being replayed is not waited for
    chosen = list(old.select_for_update(skip_locked=True).order_by("finished_at").values_list("pk", flat=True)[:rows])
    WebhookDelivery.objects.filter(pk__in=chosen).delete()
    return len(chosen)
