"""Fixtures of the tests that run core inside pytest."""

from collections.abc import Iterator

import pytest

from payments.request_log.writer import writer
from payments.withdrawals.pipeline import pipeline
from payments.withdrawals.settlement_client import settlement_client


@pytest.fixture(scope="session")
def core_database(django_db_setup: None) -> Iterator[None]:
    """The test database; the connections of our threads to it are gone when it is dropped."""
    yield
    pipeline.close()
    writer.close()


@pytest.fixture
def books(core_database: None, transactional_db: None, settlement: object) -> Iterator[None]:
    """Empty books in core (committed, not rolled back) and in settlement."""
    settlement_client().clear_sandbox()
    yield
    # no row is still on its way when the tables are cleared
    assert writer().flush()
