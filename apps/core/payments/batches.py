"""Many rows in transactions of few, so that nobody waits long for a lock and other tasks have their turn."""

import time
from collections.abc import Callable


def by_batches(act: Callable[[int], int], batch_rows: int, ends_at: float) -> int:
    """How many rows `act` did, which is told how many at the most and returns how many there were.

    At least one batch is done; then as many as there are until `ends_at` (of the monotonic clock, in seconds).
    """
    done, batch = 0, batch_rows
    while batch == batch_rows and (not done or time.monotonic() < ends_at):
        batch = act(batch_rows)
        done += batch
    return done
