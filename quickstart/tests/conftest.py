"""Real PostgreSQL and Redis; what stands for our own services are a few lines of Python."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etebar_quickstart.testing import TestServers, servers, temporary_state


@pytest.fixture
def state() -> Iterator[Path]:
    with temporary_state() as directory:
        yield directory


@pytest.fixture(scope="session")
def shared() -> TestServers:
    return servers()
