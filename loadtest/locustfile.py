"""Merchants who withdraw, with tokens from Redis (scripts/preload_tokens.py).

Variables: N_TOKENS, REDIS_URL, TARGET_HOST, TOKENS_KEY, WITHDRAW_AMOUNT. For example:

    export TARGET_HOST=http://127.0.0.1:8000
    locust -f loadtest/locustfile.py --headless --users 500 --spawn-rate 50 --run-time 2m
"""

import itertools
import os
import uuid
from collections.abc import Iterator

import redis
from locust import HttpUser, constant, events, task
from locust.env import Environment

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
TOKENS_KEY = os.environ.get("TOKENS_KEY", "locust:tokens")
N_TOKENS = int(os.environ.get("N_TOKENS", "1000"))
WITHDRAW_AMOUNT = os.environ.get("WITHDRAW_AMOUNT", "1.00")

SETTLED, PENDING, REFUSED = 201, 202, 409

tokens: Iterator[str] = iter(())


@events.test_start.add_listener  # type: ignore[untyped-decorator] # locust has no hints here
def load_tokens(environment: Environment, **_: object) -> None:
    """Reads the tokens once; every user takes the next one in turn."""
    global tokens  # noqa: PLW0603 - locust's users share nothing else
    with redis.Redis.from_url(REDIS_URL, decode_responses=True) as client:
        found = client.lrange(TOKENS_KEY, 0, N_TOKENS - 1)
    if not found:
        if environment.runner:
            environment.runner.quit()
        raise SystemExit(f"the Redis list {TOKENS_KEY} is empty: run scripts/preload_tokens.py first")
    tokens = itertools.cycle(found)


class MerchantUser(HttpUser):
    """One merchant after another, as fast as answers come."""

    host = os.environ.get("TARGET_HOST", "http://127.0.0.1:8000")
    wait_time = constant(0)

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {next(tokens)}"

    @task
    def withdraw(self) -> None:
        """201 and 202 are successes; 409 is an honest refusal and is counted apart."""
        with self.client.post(
            "/api/v1/withdrawals",
            json={"amount": WITHDRAW_AMOUNT},
            headers={"Idempotency-Key": uuid.uuid4().hex},
            catch_response=True,
        ) as response:
            if response.status_code in {SETTLED, PENDING}:
                response.success()
            elif response.status_code == REFUSED:
                response.request_meta["name"] = f"refused: {response.json()['code']}"
                response.success()
            else:
                response.failure(f"{response.status_code}: {response.text[:200]}")
