"""Core's tests, those that manage.py runs as well, use the test database."""

from collections.abc import Iterator
from typing import Any

import pytest

from core import rate_limits
from core.environment import ENVIRONMENT
from core.rate_limits import Limiter


@pytest.fixture(scope="session", autouse=True)
def _core_database(core_database: None) -> None:
    """For every test here."""


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Iterator[Any]:
    """Sets limits by name on a limiter with an empty Redis database."""
    limiter = Limiter(redis_url)
    limiter._strategy.storage.reset()  # noqa: SLF001 - an empty Redis is the test's affair
    monkeypatch.setattr(rate_limits, "limiter", lambda: limiter)

    def set_limits(**values: str) -> None:
        settings = ENVIRONMENT.model_copy(update={f"rate_limit_{name}": value for name, value in values.items()})
        monkeypatch.setattr(rate_limits, "ENVIRONMENT", settings)

    yield set_limits
    limiter._strategy.storage.reset()  # noqa: SLF001 - an empty Redis is the test's affair
