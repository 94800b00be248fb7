"""What a load test in a cluster needs of core: the word that its tokens are there, and the report with the books."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis

from core.environment import ENVIRONMENT
from payments.books.services import verify_books

KEPT_SECONDS = 24 * 3600
LONGEST_RUN_SECONDS = 24 * 3600
COLUMNS = ("Request Count", "Failure Count", "Requests/s", "50%", "95%", "99%")


def tell_ready() -> None:
    """Puts READY_KEY into Redis: locust's processes wait for it. REPORT_KEY of an earlier try is forgotten."""
    with redis.Redis.from_url(ENVIRONMENT.redis_url) as client, client.pipeline() as pipeline:
        pipeline.delete(os.environ["REPORT_KEY"]).set(os.environ["READY_KEY"], "1", ex=KEPT_SECONDS).execute()


def report(say: Callable[[str], object] = print) -> None:
    """Waits for locust's statistics in the list REPORT_KEY, prints them, and compares the books.

    Raises SystemExit when a request failed, when nothing was requested, or when the books differ.
    """
    with redis.Redis.from_url(ENVIRONMENT.redis_url) as client:
        found = client.blpop([os.environ["REPORT_KEY"]], timeout=LONGEST_RUN_SECONDS)
    if found is None:
        raise SystemExit("The load test has not ended.")
    told = json.loads(found[1])
    for line in lines_of(told["requests"]):
        say(line)
    differences = verify_books().differences
    for difference in differences:
        say(difference)
    if differences:
        raise SystemExit("BOOKS DIFFER")
    say("books verified")
    if told["exit_code"] or not told["requests"]:
        raise SystemExit(f"locust ended with code {told['exit_code']} after {len(told['requests'])} kinds of requests")


def lines_of(requests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Locust's statistics as a table; response times are milliseconds."""
    rows = [["request", "count", "failed", "per second", "p50 ms", "p95 ms", "p99 ms"]]
    rows += [[str(each["Name"]), *(_short(each[name]) for name in COLUMNS)] for each in requests]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _short(number: str) -> str:
    return f"{float(number):.1f}".removesuffix(".0") if number.replace(".", "", 1).isdigit() else number
