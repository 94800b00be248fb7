"""The platform as real processes, shared by the tests of one session."""

import logging
from collections.abc import Iterator

import pytest

from etebar_quickstart.stack import Stack

from .platform import Platform, databases

# A line per request would bury what a failed test has to say.
logging.getLogger("httpx2").setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def session_platform() -> Iterator[Platform]:
    with databases() as stack, Platform.started(stack) as platform:
        yield platform


@pytest.fixture
def platform(session_platform: Platform) -> Platform:
    """All services run, whatever the test before has killed."""
    session_platform.revive()
    return session_platform


@pytest.fixture
def stack(platform: Platform) -> Stack:
    return platform.stack
