"""The connection pool, and what must be true of the database before the service serves."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from etebar_common.problems import NotReady
from settlement import sql
from settlement.settings import SERVICE, DatabaseSettings, Settings

HEAD_REVISION = "0002"
"""The newest migration; a test holds it to the scripts. Revisions are numbers, so that "older" can be told."""

# Away, going away, full, or demoted to a replica.
DATABASE_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
)


def is_away(error: BaseException) -> bool:
    """Whether the database may take later what it did not take now."""
    # asyncpg.DataError can be an InterfaceError too, but is a defect of ours: the value will never be taken.
    return isinstance(error, DATABASE_AWAY) and not isinstance(error, asyncpg.DataError)


# Quoted: asyncpg's classes are generic for the type checker only.
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class Database:
    """A pool of connections as the application's role. Every wait, for a connection or an answer, has an end."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", timeout_seconds: float) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        # not acquire(timeout=...), which takes a task for each connection
        async with asyncio.timeout(self._timeout_seconds):
            connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        async with self.connection() as connection:
            return await connection.fetch(statement, *values)

    async def fetch_value(self, statement: str, *values: Any) -> Any:
        async with self.connection() as connection:
            return await connection.fetchval(statement, *values)

    async def copy_in(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        async with self.connection() as connection:
            await connection.copy_records_to_table(table, columns=columns, records=rows)

    async def require_ready(self) -> None:
        """Raises NotReady unless the migrations that this code needs have run (newer ones do not hurt)."""
        rows = await self.fetch(sql.MIGRATION_STATE)
        revision = rows[0]["revision"]
        if is_older(revision):
            raise NotReady(f"the database is at migration {revision}, {HEAD_REVISION} is needed")


# Plans of prepared statements stay: one made while the tables were empty would read all of them, ever longer, until
# statistics come. Every question here is about listed ids or in an index's order.
INDEXES_ONLY = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    pool = await asyncpg.create_pool(
        **_address(settings),
        min_size=1,
        max_size=settings.db_pool_size,
        command_timeout=settings.db_timeout_seconds,
        reset=_leave_as_it_is,
    )
    async with pool:
        yield Database(pool, settings.db_timeout_seconds)


async def _leave_as_it_is(_: object) -> None:
    """Instead of asyncpg's reset, a round trip after each statement: none of ours leaves anything in its session."""


def is_older(revision: str | None) -> bool:
    """Whether the database lacks migrations. One that is ahead is fine: in a rollout it is migrated first."""
    return revision is None or int(revision) < int(HEAD_REVISION)


def refuse_start_without_database(settings: Settings) -> None:
    """SystemExit with one line unless the database answers, is migrated, and is of this profile.

    Runs in a thread with an event loop of its own: uvicorn calls the factory inside its loop, and an exit from the
    lifespan would come out as a traceback.
    """
    with ThreadPoolExecutor(1) as thread:
        reason = thread.submit(asyncio.run, _why_not(settings)).result()
    if reason:
        raise SystemExit(f"{SERVICE} does not start: {reason}")


async def _why_not(settings: Settings) -> str | None:
    place = f"{settings.db_name} at {settings.db_host}:{settings.db_port}"
    try:
        connection = await asyncpg.connect(**_address(settings), timeout=settings.db_timeout_seconds)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"the database {place} cannot be reached as {settings.db_user} ({error or type(error).__name__})"
    try:
        state = await connection.fetchrow(sql.MIGRATION_STATE)
    except (asyncpg.UndefinedTableError, asyncpg.InsufficientPrivilegeError):
        return f"the database {place} is not migrated; run `alembic upgrade head` as its owner"
    finally:
        await connection.close()
    return _objection(settings, place, state)


def _objection(settings: Settings, place: str, state: asyncpg.Record | None) -> str | None:
    if state is None or is_older(state["revision"]):
        return f"the database {place} lacks migrations; run `alembic upgrade head` as its owner"
    if state["profile"] != settings.etebar_profile:
        return f"the database {place} was migrated for profile {state['profile']}, not {settings.etebar_profile}"
    return None


def _address(settings: DatabaseSettings) -> dict[str, Any]:
    return {
        "host": settings.db_host,
        "port": settings.db_port,
        "database": settings.db_name,
        "user": settings.db_user,
        "password": settings.db_password.get_secret_value() or None,
        "server_settings": {"application_name": SERVICE, **INDEXES_ONLY},
    }
