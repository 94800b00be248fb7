"""One connection to walletdb, and what its backend has used of a processor."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, whatever its name looks like

from etebar_quickstart import Stack

RESERVE = "SELECT ordinal, outcome FROM payments_reserve(%s, %s)"
CONFIRM = "SELECT changed FROM payments_confirm(%s)"
REFUSALS = json.dumps(dict.fromkeys(("insufficient_credit", "insufficient_pool", "merchant_not_active"), "{}"))


class Backend:
    """Runs statements, each a transaction, as the superuser: whose functions they are makes no difference to them."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._schedstat = Path(f"/proc/{connection.get_backend_pid()}/schedstat")

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Its rows; none of a statement without any."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return list(cursor.fetchall()) if cursor.description else []

    def cpu_us(self) -> float:
        """CPU time of the backend so far. Linux counts it exactly; elsewhere wall time stands in for it."""
        try:
            return int(self._schedstat.read_text().split()[0]) / 1000
        except FileNotFoundError:
            return time.perf_counter() * 1e6

    def timed(self, statement: str, *parameters: object) -> tuple[float, float, list[tuple[Any, ...]]]:
        """CPU and wall time in us, and the rows."""
        cpu, wall = self.cpu_us(), time.perf_counter()
        rows = self.query(statement, *parameters)
        wall = (time.perf_counter() - wall) * 1e6
        return self.cpu_us() - cpu, wall, rows

    def reserve(self, items: Sequence[dict[str, Any]]) -> tuple[float, float]:
        """CPU and wall time in us of one call; raises RuntimeError unless all are accepted."""
        cpu, wall, rows = self.timed(RESERVE, json.dumps(items), REFUSALS)
        if {outcome for _, outcome in rows} != {"accepted"}:
            raise RuntimeError(f"not all are accepted: {rows[:3]}")
        return cpu, wall

    def confirm(self, items: Sequence[dict[str, Any]]) -> tuple[float, float]:
        """As `reserve`, of the same items settled."""
        cpu, wall, rows = self.timed(CONFIRM, json.dumps([settled(item) for item in items]))
        if {changed for (changed,) in rows} != {True}:
            raise RuntimeError(f"not all are changed: {rows[:3]}")
        return cpu, wall


@contextlib.contextmanager
def connected(dsn: str) -> Iterator[Connection]:
    """A connection in autocommit, closed at the end."""
    with contextlib.closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        yield connection


@contextlib.contextmanager
def backend(stack: Stack, database: str = "walletdb") -> Iterator[Backend]:
    """A backend of the superuser, ended at the end."""
    with connected(stack.dsn("postgres", database)) as connection:
        yield Backend(connection)


def settled(item: dict[str, Any]) -> dict[str, Any]:
    """What payments_confirm is given for an item of payments_reserve; the body is as long as core's."""
    moment = "2026-11-23T19:42:09.580997Z"
    body = {
        "id": item["withdrawal_id"],
        "amount": item["amount"],
        "state": "settled",
        "failure_code": None,
        "created_at": moment,
        "finalized_at": moment,
    }
    return {
        "withdrawal_id": item["withdrawal_id"],
        "state": "settled",
        "failure_code": "",
        "finalized_at": moment,
        "status": 201,
        "body": json.dumps(body, separators=(",", ":")),
        "log_id": item["log_id"],
        "duration_ms": 12,
    }
