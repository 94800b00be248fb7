"""Waiting for what must come true."""

import time
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.03
TIMEOUT_SECONDS = 30.0

T = TypeVar("T")


def wait_until(what: str, condition: Callable[[], T | None], timeout_seconds: float = TIMEOUT_SECONDS) -> T:
    """The condition's first true value; AssertionError naming `what` when there is none in time."""
    deadline = time.monotonic() + timeout_seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout_seconds} s: {what}"
        time.sleep(POLL_SECONDS)
    return value
