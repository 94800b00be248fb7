"""What a run wants of its PostgreSQL before anything is measured: connections enough, and the floor's copy."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, whatever its name looks like

from etebar_quickstart import Stack
from etebar_quickstart.postgres import MAX_CONNECTIONS

FLOOR = "floordb"
FLOOR_FUNCTION = Path(__file__).with_name("floor.sql")
# Not the tables that are empty yet: a plan that is made while a table is known to be empty reads it whole, and is kept.
SEEDED = ("auth_user", "payments_merchant", "payments_walletaccount", "payments_merchantcredit")
TOLD = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
    "max_connections",
)


@contextlib.contextmanager
def connected(stack: Stack, role: str, database: str) -> Iterator[Connection]:
    """A connection in autocommit, closed at the end."""
    with contextlib.closing(psycopg2.connect(stack.dsn(role, database))) as connection:
        connection.autocommit = True
        yield connection


def allow_connections(stack: Stack, number: int) -> None:
    """Lets as many connect, restarting the server if it has to be told; nothing else of its settings is changed."""
    if number <= MAX_CONNECTIONS:
        return
    with connected(stack, "postgres", "postgres") as connection:
        connection.cursor().execute("ALTER SYSTEM SET max_connections = %s", [number])
    stack.restart("postgres")


def make_floor(stack: Stack) -> None:
    """Copies walletdb as it is now, to which nobody may be connected, and adds the floor's function.

    Statistics of what was seeded are gathered first, so that both start from the same plans.
    """
    with connected(stack, "postgres", "walletdb") as connection:
        connection.cursor().execute(f"ANALYZE {', '.join(SEEDED)}")
    with connected(stack, "postgres", "postgres") as connection:
        connection.cursor().execute(f"CREATE DATABASE {FLOOR} TEMPLATE walletdb OWNER wallet")
    with connected(stack, "wallet", FLOOR) as connection:
        connection.cursor().execute(FLOOR_FUNCTION.read_text())


def server_settings(stack: Stack) -> dict[str, str]:
    """The settings that decide what a commit costs, as the server runs with them."""
    with connected(stack, "postgres", "postgres") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name, current_setting(name) FROM unnest(%s) AS name", [list(TOLD)])
        return dict(cursor.fetchall())
