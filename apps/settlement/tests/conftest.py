"""A migrated database on a real PostgreSQL for the session; the service as the application's role for each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import httpx2
import psycopg2
import pytest
from psycopg2 import sql
from settlement_helpers import TestDatabase, running, settings_for

from etebar_quickstart.testing import TestServers
from settlement.settings import Settings


@pytest.fixture(scope="session")
def new_database(etebar_servers: TestServers) -> Iterator[Callable[[], TestDatabase]]:
    """Makes empty databases that `settlement` owns; they are dropped at the end."""
    made: list[str] = []

    def make() -> TestDatabase:
        name = f"settlement_test_{uuid4().hex[:12]}"
        _execute(etebar_servers, sql.SQL("CREATE DATABASE {} OWNER settlement").format(sql.Identifier(name)))
        made.append(name)
        return TestDatabase(etebar_servers, name)

    yield make
    for name in made:
        _execute(etebar_servers, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def database(new_database: Callable[[], TestDatabase]) -> TestDatabase:
    database = new_database()
    migrated = database.alembic("upgrade", "head")
    assert migrated.returncode == 0, migrated.stderr
    return database


@pytest.fixture
def settings(database: TestDatabase) -> Settings:
    return settings_for(database)


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    async with running(settings) as started:
        yield started


def _execute(servers: TestServers, statement: sql.Composable) -> None:
    connection = psycopg2.connect(servers.dsn())
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()
