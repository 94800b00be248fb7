"""Writes ApiRequestLog rows in batches, off the request's path.

The money transaction opens (and mostly completes) the rows of withdrawals itself; this writer completes the rest and
adds reads and refusals. Its queue is bounded: when the database is away for long, the newest rows are dropped and
counted.
"""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.util import Finalize
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest

from core.client_address import client_address
from core.per_process import PerProcess
from core.request_context import RequestContext
from etebar_common import metrics
from payments.models import ApiRequestLog

logger = logging.getLogger(__name__)

QUEUE_ROWS = 10_000
BATCH_ROWS = 500
RETRY_SECONDS = 1.0
FLUSH_SECONDS = 5.0
END = None


class RequestLogWriter:
    """One thread per process, started with the first row (so after any fork)."""

    def __init__(self) -> None:
        self._queue: queue.Queue[ApiRequestLog | None] = queue.Queue(QUEUE_ROWS)
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
        self._thread.start()
        # not atexit: granian's workers are processes of multiprocessing, which end without its functions
        Finalize(None, self.close, exitpriority=0)

    def put(self, row: ApiRequestLog) -> None:
        """Takes a row; never waits."""
        try:
            self._queue.put_nowait(row)
        except queue.Full:
            self._dropped += 1
            metrics.REQUEST_LOG_DROPPED.inc()
            if self._dropped % BATCH_ROWS == 1:
                logger.critical("request log is full: %d rows dropped so far", self._dropped)

    def flush(self, timeout_seconds: float = FLUSH_SECONDS) -> bool:
        """Waits until all rows are written; False when that took longer than the timeout."""
        deadline = time.monotonic() + timeout_seconds
        while self._queue.unfinished_tasks:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def close(self, timeout_seconds: float = FLUSH_SECONDS) -> None:
        """Writes what is queued, within the timeout, and ends the thread and its connection."""
        if self._thread.is_alive():
            self._queue.put(END)
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        items: list[ApiRequestLog | None] = []
        while END not in items:
            items = [self._queue.get()]
            while len(items) < BATCH_ROWS and not self._queue.empty():
                items.append(self._queue.get())
            self._write_until_done([row for row in items if row is not END])
            for _ in items:
                self._queue.task_done()
        connection.close()

    def _write_until_done(self, rows: Sequence[ApiRequestLog]) -> None:
        while True:
            try:
                write_rows(rows)
            except (OperationalError, InterfaceError) as error:
                logger.warning("request log cannot be written, will try again: %s", str(error).strip())
                connection.close()
                time.sleep(RETRY_SECONDS)
            except DatabaseError as error:
                self._write_without_the_bad_ones(rows, error)
                return
            else:
                return

    def _write_without_the_bad_ones(self, rows: Sequence[ApiRequestLog], error: DatabaseError) -> None:
        """A row that the database refuses for what it is would be refused for ever; it must not stop the others."""
        if len(rows) == 1:
            logger.error("a row of the request log is dropped: %s", str(error).strip())
            return
        for row in rows:
            self._write_until_done([row])


def write_rows(rows: Sequence[ApiRequestLog]) -> None:
    """Adds the rows; one that a money transaction opened is completed instead."""
    ApiRequestLog.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=["status", "duration_ms"]
    )


writer = PerProcess(RequestLogWriter)


def printable(text: str, length: int) -> str:
    """The text as a log column takes it: without NUL, which PostgreSQL refuses, and cut."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()[:length]


def record_request(request: HttpRequest, context: RequestContext, status: int) -> None:
    """Queues the request's row, unless the money transaction has written it whole."""
    if context.log_is_complete:
        return
    duration_ms = context.duration_ms
    user = context.user
    row = ApiRequestLog(
        id=context.log_id,
        request_id=context.request_id,
        method=printable(request.method or "", 16),
        path=printable(request.path, 255),
        status=status,
        user_id=user.pk if user else None,
        merchant_id=user.merchant_id if user else None,
        remote_address=client_address(request),
        idempotency_key=context.idempotency_key,
        withdrawal_id=context.withdrawal_id,
        duration_ms=duration_ms,
        created_at=datetime.now(UTC) - timedelta(milliseconds=duration_ms),
    )
    writer().put(row)


def opened_row(request: HttpRequest, context: RequestContext) -> dict[str, Any]:
    """The row that a money transaction opens, as the members that payments_reserve reads."""
    return {
        "log_id": str(context.log_id),
        "request_id": context.request_id,
        "method": request.method,
        "path": request.path,
        "user_id": context.user.pk if context.user else None,
        "remote_address": client_address(request),
    }
