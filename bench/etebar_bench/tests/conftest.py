"""A state directory that PostgreSQL's account may reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etebar_quickstart.testing import temporary_state


@pytest.fixture
def state() -> Iterator[Path]:
    with temporary_state() as directory:
        yield directory
