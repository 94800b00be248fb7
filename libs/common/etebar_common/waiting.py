"""Waiting for what another process will bring about, with a line for each thing that is waited for."""

import time
from collections.abc import Callable

INTERVAL_SECONDS = 1.0


def wait_until_nothing_is_missing(missing: Callable[[], str | None], say: Callable[[str], object]) -> None:
    """Asks `missing` every second until it returns None; says what it returns when that is not what it said before."""
    said = None
    while (reason := missing()) is not None:
        if reason != said:
            say(f"waiting: {reason}")
            said = reason
        time.sleep(INTERVAL_SECONDS)
    say("nothing to wait for")
