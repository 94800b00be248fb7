"""The request log: who asked what and what we answered, written in batches behind the answers.

It never holds a token, a header or a body. While the database is away entries wait, and what is over capacity is
counted and warned about; an entry that the database refuses is dropped with a line in the log. Never is an answer lost.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from etebar_common import metrics
from settlement import sql
from settlement.database import DATABASE_AWAY, Database, is_away

logger = logging.getLogger(__name__)

CAPACITY = 10_000
BATCH_SIZE = 500
INTERVAL_SECONDS = 0.5
FLUSH_SECONDS = 5.0


class LoggedRequest(NamedTuple):
    """A row of the table, in the order of `COLUMNS`."""

    at: datetime
    method: str
    path: str
    status: int
    request_id: str
    duration_ms: float
    remote_address: str | None
    withdrawal_id: UUID | None
    withdrawal_count: int


COLUMNS = LoggedRequest._fields


class RequestLog:
    def __init__(self, capacity: int = CAPACITY) -> None:
        self._waiting: deque[LoggedRequest] = deque()
        self._capacity = capacity
        self._dropped = 0
        self._wake = asyncio.Event()

    def add(self, request: LoggedRequest) -> None:
        """Queues an entry without waiting; over capacity it is counted as dropped."""
        if len(self._waiting) >= self._capacity:
            self._dropped += 1
            metrics.REQUEST_LOG_DROPPED.inc()
            return
        self._waiting.append(request)
        if len(self._waiting) >= BATCH_SIZE:
            self._wake.set()

    async def write_forever(self, database: Database) -> None:
        """Writes what is queued, as a full batch or twice a second."""
        while True:
            try:
                await asyncio.wait_for(self._wake.wait(), INTERVAL_SECONDS)
            except TimeoutError:
                self._warn_of_dropped()
            self._wake.clear()
            try:
                await self.flush(database)
            except DATABASE_AWAY as error:
                logger.warning("%d request log entries wait: %s", len(self._waiting), type(error).__name__)
                await asyncio.sleep(INTERVAL_SECONDS)

    async def flush(self, database: Database) -> None:
        """Writes all that is queued. Raises only when the database is away; what was not written stays queued."""
        while self._waiting:
            batch = deque(self._waiting.popleft() for _ in range(min(BATCH_SIZE, len(self._waiting))))
            try:
                await _write(database, batch)
            except BaseException:
                self._waiting.extendleft(reversed(batch))
                raise

    async def close(self, database: Database) -> None:
        """The last flush, with an end to its patience."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self.flush(database)
        except DATABASE_AWAY:
            self._dropped += len(self._waiting)
        self._warn_of_dropped()

    def _warn_of_dropped(self) -> None:
        if self._dropped:
            logger.warning("%d request log entries were dropped", self._dropped)
            self._dropped = 0


async def _write(database: Database, batch: deque[LoggedRequest]) -> None:
    """Writes a batch, taking what is done out of it: all at once, or one by one if the database refuses one of it."""
    try:
        await _copy(database, batch)
        batch.clear()
    except Exception as error:
        if is_away(error):
            raise
    while batch:
        await _write_or_drop(database, batch[0])
        batch.popleft()


async def _write_or_drop(database: Database, request: LoggedRequest) -> None:
    try:
        await _copy(database, [request])
    except Exception as error:
        if is_away(error):
            raise
        # Its type only: the message may hold what the caller sent.
        refusal = type(error).__name__
        logger.warning("the request log entry of %s was refused and dropped: %s", request.request_id, refusal)


async def _copy(database: Database, requests: Iterable[LoggedRequest]) -> None:
    await database.copy_in(sql.REQUEST_LOG_TABLE, COLUMNS, list(requests))
