"""Removes old rows of the request log: the one table that may lose any. Money, withdrawals and keys stay for ever."""

import logging
import time
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from core.environment import ENVIRONMENT
from payments.batches import by_batches

logger = logging.getLogger(__name__)

BATCH_ROWS = 5_000
# an hour's work of a busy platform; the worker's other tasks have their turns meanwhile, and what is left waits an hour
BUDGET_SECONDS = 60.0

# Ids are UUIDv7: their order is that of time, so the primary key finds old rows, and no index more is written with a
# withdrawal. An id is made when its request comes in, a withdrawal's created_at milliseconds later by the database's
# clock. Both must be old, so that a clock that was wrong removes nothing early.
# SKIP LOCKED: a withdrawal that completes its row, however old, is never waited for.
DELETE_BATCH = """
WITH gone AS (
    DELETE FROM payments_apirequestlog WHERE id = ANY (ARRAY(
        SELECT id FROM payments_apirequestlog WHERE id > %s AND id < %s AND created_at < %s
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED))
    RETURNING id
)
SELECT count(*), (SELECT id FROM gone ORDER BY id DESC LIMIT 1) FROM gone
"""


def first_id_at(moment: datetime) -> UUID:
    """The least UUIDv7 of that millisecond, as far as order goes."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def remove_old(*, batch_rows: int = BATCH_ROWS, budget_seconds: float = BUDGET_SECONDS) -> int:
    """Deletes rows older than REQUEST_LOG_RETENTION_DAYS (0: none); how many.

    A batch is a transaction. Returns when none is left, or after the batch in which the budget ended.
    """
    if not ENVIRONMENT.request_log_retention_days:
        return 0
    before = timezone.now() - timedelta(days=ENVIRONMENT.request_log_retention_days)
    ends_at = time.monotonic() + budget_seconds
    last = UUID(int=0)

    def remove_batch(rows: int) -> int:
        nonlocal last
        removed, last = _remove_batch(last, before, rows)
        return removed

    removed = by_batches(remove_batch, batch_rows, ends_at)
    if removed:
        logger.info("request log: %d rows from before %s are removed", removed, before.isoformat())
    return removed


def _remove_batch(after: UUID, before: datetime, rows: int) -> tuple[int, UUID]:
    """How many went, and the last one: the next batch begins there, not among the dead rows of this one."""
    with connection.cursor() as cursor:
        cursor.execute(DELETE_BATCH, [str(after), str(first_id_at(before)), before, rows])
        removed, last = cursor.fetchone()
    return removed, last or after
