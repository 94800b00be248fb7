"""The report of a load test in a cluster: locust's numbers, and the books."""

import json
from collections.abc import Iterator

import pytest
import redis

from core.environment import ENVIRONMENT
from payments.sandbox.load_test import lines_of, report, tell_ready
from payments.tests.factories import fund_pool
from payments.tests.forgery import forge

pytestmark = pytest.mark.usefixtures("books")
ROW = {"Name": "/api/v1/withdrawals", "Request Count": "1200", "Failure Count": "0", "Requests/s": "39.91"}
TIMES = {"50%": "12", "95%": "40", "99%": "N/A"}


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    monkeypatch.setenv("READY_KEY", "ready-of-this-test")
    monkeypatch.setenv("REPORT_KEY", "report-of-this-test")
    with redis.Redis.from_url(ENVIRONMENT.redis_url) as client:
        yield client
        client.delete("ready-of-this-test", "report-of-this-test")


def ended(broker: redis.Redis, code: int = 0, rows: int = 1) -> list[str]:
    """What the report says of a run that ended so."""
    broker.rpush("report-of-this-test", json.dumps({"exit_code": code, "requests": [ROW | TIMES] * rows}))
    said: list[str] = []
    report(said.append)
    return said


def test_locust_is_told_that_it_may_begin_and_an_old_report_is_forgotten(broker: redis.Redis) -> None:
    broker.rpush("report-of-this-test", "{}")
    tell_ready()
    assert broker.exists("ready-of-this-test") == 1
    assert broker.exists("report-of-this-test") == 0


def test_a_good_run_ends_in_verified_books(broker: redis.Redis) -> None:
    fund_pool()
    assert ended(broker)[-1] == "books verified"


def test_a_table_has_a_line_for_each_kind_of_request() -> None:
    assert lines_of([ROW | TIMES]) == [
        "request              count  failed  per second  p50 ms  p95 ms  p99 ms",
        "/api/v1/withdrawals  1200   0       39.9        12      40      N/A",
    ]


def test_books_that_differ_fail_it(broker: redis.Redis) -> None:
    fund_pool()
    forge("UPDATE payments_creditpool SET available_amount = available_amount - 1")
    with pytest.raises(SystemExit, match="BOOKS DIFFER"):
        ended(broker)


@pytest.mark.parametrize(("code", "rows"), [(1, 1), (0, 0)])
def test_a_request_that_failed_or_none_at_all_fails_it(broker: redis.Redis, code: int, rows: int) -> None:
    with pytest.raises(SystemExit, match=f"locust ended with code {code} after {rows}"):
        ended(broker, code, rows)
