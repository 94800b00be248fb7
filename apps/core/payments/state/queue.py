"""What waits in Celery's queue, read where the broker keeps it."""

import json
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis

from core.celery import app
from core.environment import ENVIRONMENT
from core.task_metrics import PUBLISHED_AT

TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Queue:
    """`oldest_seconds` is the age of the message that is next; 0 when none waits."""

    name: str
    messages: int
    oldest_seconds: float


def queue(name: str | None = None) -> Queue:
    """The one of that name, or that of core's tasks; raises redis.RedisError."""
    name = name or str(app.conf.task_default_queue)
    # the broker pushes at the left and takes from the right
    with _client().pipeline() as pipeline:
        pipeline.llen(name)
        pipeline.lindex(name, -1)
        messages, oldest = pipeline.execute()
    return Queue(name, messages, _age_seconds(oldest))


def _age_seconds(message: bytes | None) -> float:
    published_at: Any = json.loads(message)["headers"].get(PUBLISHED_AT) if message else None
    return max(time.time() - published_at, 0.0) if isinstance(published_at, int | float) else 0.0


@cache
def _client() -> redis.Redis:
    timeouts = {"socket_timeout": TIMEOUT_SECONDS, "socket_connect_timeout": TIMEOUT_SECONDS}
    return redis.Redis.from_url(ENVIRONMENT.celery_broker_url or ENVIRONMENT.redis_url, **timeouts)
