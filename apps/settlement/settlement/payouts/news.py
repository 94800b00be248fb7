"""What one request hears of the works that it waits for."""

import asyncio
import contextlib
from uuid import UUID

from settlement.payouts.records import Payout

Heard = dict[UUID, Payout | None]


class News:
    """Works tell it how they ended; what is told in one turn of the event loop is heard together."""

    def __init__(self) -> None:
        self._heard: Heard = {}
        self._told = asyncio.Event()

    def tell(self, withdrawal_id: UUID, payout: Payout | None) -> None:
        self._heard[withdrawal_id] = payout
        self._told.set()

    async def wait(self, until: float) -> Heard:
        """What was told since the last time, as soon as there is something; nothing if it is `until` (loop time)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await self._told.wait()
        self._told.clear()
        heard, self._heard = self._heard, {}
        return heard
