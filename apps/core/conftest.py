"""Core's tests, those that manage.py runs as well, use the test database."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _core_database(core_database: None) -> None:
    """For every test here."""
