"""`python -m core.sign_of_life`: exit code 0 while worker or beat, whom nobody calls, can be taken for alive.

They touch SIGN_OF_LIFE_FILE when they take or send a task. Without Redis there are no tasks, and to end them would not
bring it back: the file may be old while Redis is out of reach. Imports no Django: it runs every half minute.
"""

import os
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

LONGEST_SILENCE_SECONDS = 300.0
CONNECT_SECONDS = 2.0


def touch(path: Path | None) -> None:
    """What worker and beat do."""
    if path is not None:
        path.touch()


def remove(path: Path | None) -> None:
    """What they do first: an earlier process's sign, in a container that was restarted, is none of theirs."""
    if path is not None:
        path.unlink(missing_ok=True)


def is_alive(path: Path, redis_url: str) -> bool:
    """Whether the file is young, or Redis is away."""
    silence_seconds = time.time() - path.stat().st_mtime if path.exists() else float("inf")
    return silence_seconds < LONGEST_SILENCE_SECONDS or not _answers(redis_url)


def _answers(redis_url: str) -> bool:
    address = urlsplit(redis_url)
    try:
        socket.create_connection((address.hostname or "", address.port or 6379), CONNECT_SECONDS).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    redis = os.environ.get("CELERY_BROKER_URL") or os.environ["REDIS_URL"]
    raise SystemExit(0 if is_alive(Path(os.environ["SIGN_OF_LIFE_FILE"]), redis) else 1)
