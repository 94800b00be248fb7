"""Fixtures of the tests that run core inside pytest."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from payments.request_log.writer import writer
from payments.withdrawals.pipeline import pipeline
from payments.withdrawals.settlement_client import settlement_client

KEPT = {"django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def core_database(django_db_setup: None) -> Iterator[None]:
    """The test database; the connections of our threads to it are gone when it is dropped."""
    yield
    pipeline.close()
    writer.close()


@pytest.fixture
def transactional_db(core_database: None, django_db_blocker: Any) -> Iterator[None]:
    """As pytest-django's, but that content types and permissions, which no test changes, stay.

    To make them anew took most of the time between two tests.
    """
    with django_db_blocker.unblock():
        yield
        _clear()


@pytest.fixture
def books(core_database: None, transactional_db: None, settlement: object) -> Iterator[None]:
    """Empty books in core (committed, not rolled back) and in settlement."""
    settlement_client().clear_sandbox()
    yield
    # no row is still on its way when the tables are cleared
    assert writer().flush()


def _clear() -> None:
    tables = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
    with connection.cursor() as cursor:
        looks = (f"SELECT '{each}' WHERE EXISTS (SELECT FROM {each})" for each in tables)  # noqa: S608 - our own names
        cursor.execute(" UNION ALL ".join(looks))
        filled = [name for (name,) in cursor.fetchall()]
        if filled:
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
