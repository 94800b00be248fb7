"""What must be true of the database before the service serves: it answers, is migrated, and is of this profile."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg

from settlement import sql
from settlement.database import address
from settlement.settings import SERVICE, DatabaseSettings, Settings

HEAD_REVISION = "0004"
"""The newest migration; a test holds it to the scripts. Revisions are numbers, so that "older" can be told."""

REMEDY = "run `alembic upgrade head` as its owner"


class UnusableDatabaseError(Exception):
    """The sentence says which database it is, and why it cannot be used as it is."""


def is_older(revision: str | None) -> bool:
    """Whether the database lacks migrations. One that is ahead is fine: in a rollout it is migrated first."""
    return revision is None or int(revision) < int(HEAD_REVISION)


def is_ahead(revision: str | None) -> bool:
    """Whether the database has migrations that this code does not know: it was rolled back, the database was not."""
    return revision is not None and int(revision) > int(HEAD_REVISION)


def refuse_start_without_database(settings: Settings) -> None:
    """SystemExit with one line unless the database answers, is migrated, and is of this profile.

    Runs in a thread with an event loop of its own: uvicorn calls the factory inside its loop, and an exit from the
    lifespan would come out as a traceback.
    """
    with ThreadPoolExecutor(1) as thread:
        try:
            thread.submit(asyncio.run, _require_served(settings)).result()
        except UnusableDatabaseError as error:
            raise SystemExit(f"{SERVICE} does not start: {error}") from None


async def require_reachable(settings: DatabaseSettings) -> None:
    """Raises UnusableDatabaseError unless the role of the settings can connect."""
    connection = await _connect(settings)
    await connection.close()


async def require_migrated(settings: DatabaseSettings) -> asyncpg.Record:
    """The migrated database's revision and profile; raises UnusableDatabaseError."""
    connection = await _connect(settings)
    try:
        state = await connection.fetchrow(sql.MIGRATION_STATE)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        raise UnusableDatabaseError(
            f"{_place(settings)} is not migrated; run `alembic upgrade head` as its owner"
        ) from None
    finally:
        await connection.close()
    if state is None or is_older(state["revision"]):
        raise UnusableDatabaseError(f"{_place(settings)} lacks migrations; {REMEDY}")
    return state


async def _require_served(settings: Settings) -> None:
    profile = (await require_migrated(settings))["profile"]
    if profile != settings.etebar_profile:
        raise UnusableDatabaseError(
            f"{_place(settings)} was migrated for profile {profile}, not {settings.etebar_profile}"
        )


async def _connect(settings: DatabaseSettings) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(**address(settings), timeout=settings.db_timeout_seconds)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = str(error) or type(error).__name__
        raise UnusableDatabaseError(f"{_place(settings)} cannot be reached as {settings.db_user} ({reason})") from None


def _place(settings: DatabaseSettings) -> str:
    return f"the database {settings.db_name} at {settings.db_host}:{settings.db_port}"
