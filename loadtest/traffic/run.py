"""`python -m traffic.run [locust's arguments]`: locust in a cluster, between what prepares it and what reports.

Waits until READY_KEY is in Redis, so that nobody starts with the tokens of an earlier seed. A headless master hands its
statistics on in the list REPORT_KEY, which payments/sandbox/load_test.py reads, whatever came of the run.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import redis

LOCUSTFILE = Path(__file__).parents[1] / "locustfile.py"
LONGEST_WAIT_SECONDS = 900.0
POLL_SECONDS = 1.0


def main(arguments: Sequence[str]) -> int:
    """The exit code is locust's: 1 when a request failed."""
    os.environ["REDIS_URL"] = _with_password(os.environ["REDIS_URL"], os.environ.get("REDIS_PASSWORD_FILE"))
    command = [sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), *arguments]
    with redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True) as client:
        _wait_until_ready(client)
        if not {"--master", "--headless"} <= set(arguments):
            os.execv(sys.executable, command)  # noqa: S606 - locust itself, so that it gets the signals
        code = subprocess.run([*command, "--csv", "/tmp/report"], check=False).returncode  # noqa: S108 - in a container
        client.rpush(os.environ["REPORT_KEY"], json.dumps({"exit_code": code, "requests": _requests()}))
    return code


def _wait_until_ready(client: redis.Redis) -> None:
    until = time.monotonic() + LONGEST_WAIT_SECONDS
    while not client.exists(os.environ["READY_KEY"]):
        if time.monotonic() > until:
            raise SystemExit(
                f"{os.environ['READY_KEY']} is not in Redis after {LONGEST_WAIT_SECONDS:.0f} s: did the Job fail?"
            )
        time.sleep(POLL_SECONDS)


def _requests() -> list[dict[str, str]]:
    """The rows of locust's own table; none when it did not begin."""
    path = Path("/tmp/report_stats.csv")  # noqa: S108 - in a container
    return list(csv.DictReader(path.read_text().splitlines())) if path.exists() else []


def _with_password(url: str, file: str | None) -> str:
    parts = urlsplit(url)
    if parts.password or not file:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(Path(file).read_text().strip(), safe='')}@{host}").geturl()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
