"""The parts of a running service, made at start and ended at shutdown."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request

from settlement.database import Database, open_database
from settlement.payouts.in_flight import InFlight
from settlement.payouts.runner import Runner
from settlement.payouts.service import PayoutService
from settlement.payouts.store import PayoutStore
from settlement.rails import open_rail
from settlement.request_log import RequestLog
from settlement.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: Database
    store: PayoutStore
    payouts: PayoutService


@asynccontextmanager
async def open_services(settings: Settings, request_log: RequestLog) -> AsyncIterator[Services]:
    """Everything a request needs. At the end, payouts under way get the grace, and the request log is flushed."""
    async with open_database(settings) as database, open_rail(settings, database) as rail:
        store = PayoutStore(database, rail.name, settings.lease_seconds)
        in_flight = InFlight()
        runner = Runner(rail, store, in_flight, settings.bank_timeout_seconds)
        writer = asyncio.create_task(request_log.write_forever(database))
        try:
            yield Services(settings, database, store, PayoutService(store, runner, in_flight, rail.name))
        finally:
            await runner.drain(settings.shutdown_grace_seconds)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            await request_log.close(database)


def services_of(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


async def services(request: Request) -> Services:
    """The running service's parts, for routes to depend on. Async, for FastAPI takes any other to a thread."""
    return services_of(request)
