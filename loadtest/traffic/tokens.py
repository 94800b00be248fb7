"""Access tokens from the Redis list that scripts/preload_tokens.py fills."""

import itertools
import os
from collections.abc import Iterator

import redis
from locust import events
from locust.env import Environment

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
TOKENS_KEY = os.environ.get("TOKENS_KEY", "locust:tokens")
N_TOKENS = int(os.environ.get("N_TOKENS", "1000"))
# However many workers there are, their first tokens are far from each other's.
GOLDEN_SECTION = 0.618

_tokens: Iterator[str] = iter(())


@events.test_start.add_listener  # type: ignore[untyped-decorator] # locust has no hints here
def load_tokens(environment: Environment, **_: object) -> None:
    """Reads the tokens once; every user takes the next one in turn."""
    global _tokens  # noqa: PLW0603 - locust's users share nothing else
    with redis.Redis.from_url(REDIS_URL, decode_responses=True) as client:
        found = client.lrange(TOKENS_KEY, 0, N_TOKENS - 1)
    if not found:
        if environment.runner:
            environment.runner.quit()
        raise SystemExit(f"the Redis list {TOKENS_KEY} is empty: run scripts/preload_tokens.py first")
    first = int(_worker_of(environment) * GOLDEN_SECTION * len(found)) % len(found)
    _tokens = itertools.cycle(found[first:] + found[:first])


def _worker_of(environment: Environment) -> int:
    """The number of this process among locust's workers, from 0."""
    return int(getattr(environment.runner, "worker_index", 0))


def next_token() -> str:
    """The token of the next user."""
    return next(_tokens)
