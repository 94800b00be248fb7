"""The connection pool."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import urlencode

import asyncpg

from etebar_common import tracing
from settlement.settings import SERVICE, DatabaseSettings, Settings

# Away, going away, full, or demoted to a replica.
DATABASE_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # asyncpg finds a connection in an unexpected state when the server ends it while a statement begins
    asyncpg.InternalClientError,
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
        with tracing.sql_span(statement):
            async with self.connection() as connection:
                return await connection.fetch(statement, *values)

    async def fetch_value(self, statement: str, *values: Any) -> Any:
        with tracing.sql_span(statement):
            async with self.connection() as connection:
                return await connection.fetchval(statement, *values)

    async def copy_in(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        async with self.connection() as connection:
            await connection.copy_records_to_table(table, columns=columns, records=rows)


# Plans of prepared statements stay: one made while the tables were empty would read all of them, ever longer, until
# statistics come. Every question here is about listed ids or in an index's order.
INDEXES_ONLY = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    pool = await asyncpg.create_pool(
        **address(settings),
        min_size=1,
        max_size=settings.db_pool_size,
        command_timeout=settings.db_timeout_seconds,
        reset=_leave_as_it_is,
    )
    async with pool:
        yield Database(pool, settings.db_timeout_seconds)


async def _leave_as_it_is(_: object) -> None:
    """Instead of asyncpg's reset, a round trip after each statement: none of ours leaves anything in its session."""


def address(settings: DatabaseSettings) -> dict[str, Any]:
    """What asyncpg needs to connect."""
    return {
        "dsn": f"postgresql://?{urlencode(settings.tls_options)}",
        "host": settings.db_host,
        "port": settings.db_port,
        "database": settings.db_name,
        "user": settings.db_user,
        "password": settings.db_password.get_secret_value() or None,
        "server_settings": {"application_name": SERVICE, **INDEXES_ONLY},
    }
