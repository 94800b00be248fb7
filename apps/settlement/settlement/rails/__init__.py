"""Payout rails: adapters to whatever moves the money, chosen by RAIL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from settlement.database import Database
from settlement.rails.base import Rail
from settlement.rails.http_rail import HttpRail
from settlement.rails.sandbox import SandboxRail
from settlement.settings import RailName, Settings


@asynccontextmanager
async def open_rail(settings: Settings, database: Database) -> AsyncIterator[Rail]:
    if settings.rail is RailName.SANDBOX:
        yield SandboxRail(database, settings.sandbox_slow_seconds)
        return
    if settings.bank_url is None or settings.bank_token is None:  # settings refuse it before
        raise RuntimeError("RAIL=http without BANK_URL and BANK_TOKEN")
    token = settings.bank_token.get_secret_value()
    rail = HttpRail(str(settings.bank_url), token, settings.bank_timeout_seconds, settings.bank_currency)
    try:
        yield rail
    finally:
        await rail.close()
