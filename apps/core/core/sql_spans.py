"""A span for each statement that a part of a trace runs; never its parameters."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from etebar_common import tracing


def install() -> None:
    """Has every new connection of this process make them, if traces are on; else connections stay as they are."""
    if tracing.is_on():
        connection_created.connect(_watch, dispatch_uid=__name__)


def _watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    # one that is made again after a loss has it already
    if _in_span not in connection.execute_wrappers:
        connection.execute_wrappers.append(_in_span)


def _in_span(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's order
    with tracing.sql_span(sql):
        return execute(sql, params, many, context)
