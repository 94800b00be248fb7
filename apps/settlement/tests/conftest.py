"""A migrated database on a real PostgreSQL for the session; the service as the application's role for each test."""

from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import httpx2
import postgres
import psycopg2
import pytest
from psycopg2 import sql
from settlement_helpers import TestDatabase, running, settings_for

from settlement.settings import Settings

ROLES = ("settlement", "settlement_app", "etebar_audit")


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    with postgres.server() as started:
        for role in ROLES:
            _create_role(started, role)
        yield started


@pytest.fixture(scope="session")
def new_database(server: postgres.Server) -> Iterator[Callable[[], TestDatabase]]:
    """Makes empty databases that `settlement` owns; they are dropped at the end."""
    made: list[str] = []

    def make() -> TestDatabase:
        name = f"settlement_test_{uuid4().hex[:12]}"
        _execute(server, sql.SQL("CREATE DATABASE {} OWNER settlement").format(sql.Identifier(name)))
        made.append(name)
        return TestDatabase(server.host, server.port, name, server.password)

    yield make
    for name in made:
        _execute(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


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


def _create_role(server: postgres.Server, role: str) -> None:
    name = sql.Identifier(role)
    exists = sql.SQL("SELECT FROM pg_roles WHERE rolname = {}").format(sql.Literal(role))
    verb = "ALTER" if _execute(server, exists) else "CREATE"
    _execute(server, sql.SQL(f"{verb} ROLE {{}} LOGIN NOSUPERUSER PASSWORD 'secret'").format(name))


def _execute(server: postgres.Server, statement: sql.Composable) -> int:
    connection = psycopg2.connect(
        host=server.host, port=server.port, user="postgres", dbname="postgres", password=server.password
    )
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.rowcount if cursor.description is not None else 0
    finally:
        connection.close()
