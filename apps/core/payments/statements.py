"""Calls the money functions of the database: one statement that is its own transaction, durable when it returns."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from etebar_common.crash import CrashPoint, crash_point, is_armed


def call_function(sql: str, parameters: Sequence[Any], *, crash_before_commit: CrashPoint) -> list[dict[str, Any]]:
    """The rows of the statement.

    Raises RuntimeError inside a transaction: what the caller tells a client must be committed by then. The statement
    runs in autocommit, so no lock is held across a round trip; only a test that armed the crash point gets a
    transaction around it.
    """
    if connection.in_atomic_block:
        raise RuntimeError("a money function must not run inside another transaction")
    if not is_armed(crash_before_commit):
        return _rows(sql, parameters)
    with transaction.atomic(durable=True):
        rows = _rows(sql, parameters)
        crash_point(crash_before_commit)
    return rows


def _rows(sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
