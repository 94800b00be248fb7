"""Fixtures of core's tests."""

from collections.abc import Iterator

import pytest

from payments.request_log.writer import writer
from payments.withdrawals.settlement_client import settlement_client


@pytest.fixture(scope="session", autouse=True)
def _request_log_is_closed(django_db_setup: None) -> Iterator[None]:
    """The writer's connection is gone when the test database is dropped."""
    yield
    writer().close()


@pytest.fixture(autouse=True)
def _request_log_is_written() -> Iterator[None]:
    """No row is still on its way when the tables are cleared after a test."""
    yield
    assert writer().flush()


@pytest.fixture
def books(transactional_db: None, settlement: object) -> None:
    """Empty books in core (committed, not rolled back) and in settlement."""
    settlement_client().clear_sandbox()
