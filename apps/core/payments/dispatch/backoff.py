"""When to ask again: exponential backoff with full jitter above a floor."""

import random

_random = random.SystemRandom()


def backoff_seconds(attempt: int, *, base: float, cap: float) -> float:
    """The wait after attempt `attempt` (from 1): between half and all of base * 2^(attempt - 1), at most `cap`."""
    longest: float = min(cap, base * 2 ** min(attempt - 1, 32))
    return longest * _random.uniform(0.5, 1.0)
