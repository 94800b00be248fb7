"""The request log: who asked what and what we answered, written in batches behind the answers.

It never holds a token, a header or a body. Losing the database loses log entries, counted and warned about, never
an answer.
"""

import asyncio
import logging
from collections import deque
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from uuid import UUID

import asyncpg

from settlement import sql
from settlement.database import Database

logger = logging.getLogger(__name__)

CAPACITY = 10_000
BATCH_SIZE = 500
INTERVAL_SECONDS = 0.5
FLUSH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    at: datetime
    method: str
    path: str
    status: int
    request_id: str
    duration_ms: float
    remote_address: str | None
    withdrawal_id: UUID | None
    withdrawal_count: int


COLUMNS = [column.name for column in fields(LoggedRequest)]


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
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.warning("%d request log entries wait: %s", len(self._waiting), type(error).__name__)
                await asyncio.sleep(INTERVAL_SECONDS)

    async def flush(self, database: Database) -> None:
        """Writes all that is queued; what could not be written stays queued."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH_SIZE, len(self._waiting)))]
            try:
                await database.copy_in(sql.REQUEST_LOG_TABLE, COLUMNS, [astuple(request) for request in batch])
            except BaseException:
                self._waiting.extendleft(reversed(batch))
                raise

    async def close(self, database: Database) -> None:
        """The last flush, with an end to its patience."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self.flush(database)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._dropped += len(self._waiting)
        self._warn_of_dropped()

    def _warn_of_dropped(self) -> None:
        if self._dropped:
            logger.warning("%d request log entries were dropped", self._dropped)
            self._dropped = 0
