"""The seed's load test as people run it: 500 users on 1,000 merchants, with rate limits off and on.

15 seconds instead of 30: what fails under 500 users fails once they have all come, after five.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from integration import books
from integration.commands import shell
from integration.platform import databases

from etebar_quickstart import paths
from etebar_quickstart.stack import Stack

USERS, SECONDS, SECONDS_LIMITED = 500, 15, 8
LIMIT = 3
NO_LIMITS = {"RATE_LIMIT_MERCHANT": "off", "RATE_LIMIT_ADDRESS": "off"}
# Each user is a merchant of its own, and comes to this within seconds.
LIMITS = {"RATE_LIMIT_MERCHANT": f"{LIMIT}/minute", "RATE_LIMIT_ADDRESS": "off"}
SEED = "python manage.py shell < scripts/seed_merchants.py"
TOKENS = "N_TOKENS=1000 python manage.py shell < scripts/preload_tokens.py"
LOCUST = (
    "N_TOKENS=1000 REDIS_URL=$REDIS_URL TARGET_HOST=$TARGET_HOST TOKENS_KEY=locust:tokens WITHDRAW_AMOUNT=1.00 "
    "locust -f loadtest/locustfile.py --headless --users {users} --spawn-rate 100 --run-time {seconds}s --csv {csv}"
)


@dataclass(frozen=True)
class Run:
    """What locust reported: how often each name was requested, and each kind of failure with its count."""

    code: int
    requests: Mapping[str, int]
    failures: Mapping[str, int]
    printed: str


def locust(stack: Stack, directory: Path, seconds: int) -> Run:
    """Runs the seed's command and reads what it wrote."""
    command = LOCUST.format(users=USERS, seconds=seconds, csv=directory / "run")
    done = shell(stack, command, paths.REPOSITORY)
    printed = done.stdout + done.stderr
    requests = {row["Name"]: int(row["Request Count"]) for row in _rows(directory / "run_stats.csv")}
    failures = {row["Error"]: int(row["Occurrences"]) for row in _rows(directory / "run_failures.csv")}
    return Run(done.returncode, requests, failures, printed)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A seeded sandbox without rate limits."""
    with databases("sandbox", durable=False) as stack:
        stack.start("settlement", "worker", "beat")
        stack.start("core", env=NO_LIMITS)
        done = shell(stack, f"{SEED} && {TOKENS}", paths.CORE)
        assert done.returncode == 0, done.stdout + done.stderr
        yield stack


@pytest.fixture(scope="module")
def unlimited(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return locust(stack, tmp_path_factory.mktemp("unlimited"), SECONDS)


@pytest.fixture(scope="module")
def limited(stack: Stack, unlimited: Run, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Counter[int]]:
    """The run with limits, and how many withdrawals each merchant made in it."""
    before = withdrawals_by_merchant(stack)
    stack.restart("core", env=LIMITS)
    run = locust(stack, tmp_path_factory.mktemp("limited"), SECONDS_LIMITED)
    return run, withdrawals_by_merchant(stack) - before


def withdrawals_by_merchant(stack: Stack) -> Counter[int]:
    statement = "SELECT merchant_id, count(*) FROM payments_withdrawal GROUP BY merchant_id"
    return Counter(dict(books.query(stack.dsn("etebar_audit"), statement)))


class TestWithoutRateLimits:
    def test_500_users_have_no_failure(self, unlimited: Run) -> None:
        assert (unlimited.code, unlimited.failures) == (0, {}), unlimited.printed
        assert unlimited.requests["/api/v1/withdrawals"] > USERS

    def test_nobody_is_refused_while_there_is_credit(self, unlimited: Run) -> None:
        assert set(unlimited.requests) == {"/api/v1/withdrawals", "Aggregated"}, unlimited.printed

    def test_the_books_agree(self, stack: Stack, unlimited: Run) -> None:
        books.assert_books_agree(stack)


class TestWithRateLimits:
    def test_only_429_is_a_failure(self, limited: tuple[Run, Counter[int]]) -> None:
        run, _ = limited
        assert run.failures, run.printed
        assert all("429" in failure and "rate_limited" in failure for failure in run.failures), run.failures

    def test_each_merchant_is_served_up_to_its_limit(self, limited: tuple[Run, Counter[int]]) -> None:
        run, withdrawals = limited
        assert set(withdrawals.values()) <= set(range(1, LIMIT + 1)), withdrawals.most_common(5)
        # who was told 429 has had its share
        assert LIMIT in withdrawals.values(), run.printed

    def test_the_books_agree(self, stack: Stack, limited: tuple[Run, Counter[int]]) -> None:
        books.assert_books_agree(stack)
