"""loadtest/: every mix of traffic runs without a failure, in one process and in several, and Prometheus can read it."""

import contextlib
import csv
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from integration import books
from integration.platform import databases
from integration.waiting import wait_until

from etebar_quickstart import paths
from etebar_quickstart.ports import free_port
from etebar_quickstart.stack import Stack

SEED = "python manage.py shell < scripts/seed_merchants.py && python manage.py shell < scripts/preload_tokens.py"
LOCUST = ["locust", "-f", "loadtest/locustfile.py", "--headless", "--spawn-rate", "100", "--only-summary"]
# Names of requests that a mix is about; bursts are the mixed traffic of other numbers of users.
SHOWN = {
    "seed": {"/api/v1/withdrawals"},
    "mixed": {"withdraw", "me", "one withdrawal", "ledger, page by page", "withdraw, repeated", "withdraw, no amount"},
    "retries": {"withdraw", "withdraw, repeated", "withdraw, at once"},
    "hang_ups": {"withdraw", "hang up in the headers", "hang up in the body", "withdraw, after a hang-up"},
    "bursts": {"withdraw", "withdrawals, page by page"},
    "bulk": {"bulk of 20", "bulk, repeated of 20"},
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """A seeded sandbox without rate limits."""
    with databases("sandbox", durable=False) as stack:
        stack.start("settlement", "worker", "beat")
        stack.start("core", env={"RATE_LIMIT_MERCHANT": "off"})
        environment = stack.environments.shell()
        done = subprocess.run(["sh", "-c", SEED], check=False, cwd=paths.CORE, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr
        yield stack


def command(directory: Path, *options: str) -> list[str]:
    return [*LOCUST, "--csv", str(directory / "run"), *options]


def environment(stack: Stack, **more: str) -> dict[str, str]:
    return stack.environments.shell() | more


def requests_of(directory: Path) -> Mapping[str, int]:
    """How often each name was requested."""
    with (directory / "run_stats.csv").open(newline="") as file:
        return {row["Name"]: int(row["Request Count"]) for row in csv.DictReader(file)}


def locust(stack: Stack, arguments: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments,
        check=False,
        cwd=paths.REPOSITORY,
        env=environment(stack, **more),
        capture_output=True,
        text=True,
        timeout=60,
    )


def scraped(port: int) -> dict[str, float]:
    """The samples on a port by name and labels; empty while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
            lines = answer.read().decode().splitlines()
    except (urllib.error.URLError, OSError):
        return {}
    samples = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in samples}


class TestEachMix:
    @pytest.mark.parametrize("traffic", SHOWN)
    def test_ends_without_failures_and_does_what_it_is_named_for(
        self, stack: Stack, tmp_path: Path, traffic: str
    ) -> None:
        shape = {"QUIET_USERS": "5", "BURST_USERS": "40", "BURST_SECONDS": "1"}
        done = locust(stack, command(tmp_path, "--users", "20", "--run-time", "2s"), TRAFFIC=traffic, **shape)
        assert done.returncode == 0, done.stdout + done.stderr
        assert SHOWN[traffic] <= requests_of(tmp_path).keys(), done.stdout

    def test_leaves_books_that_agree(self, stack: Stack) -> None:
        books.make_due(stack)
        books.assert_books_agree(stack)


class TestAnUnknownMix:
    def test_is_refused_with_those_that_are_known(self, stack: Stack, tmp_path: Path) -> None:
        done = locust(stack, command(tmp_path), TRAFFIC="rush")
        assert done.returncode != 0
        assert "known are: seed, mixed, retries, hang_ups, bursts, bulk" in done.stderr


@contextlib.contextmanager
def running(stack: Stack, arguments: list[str], log: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Locust at work; ended at the end, with its workers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            arguments, cwd=paths.REPOSITORY, env=environment(stack, **more), stdout=output, stderr=output
        )
        try:
            yield process
        finally:
            # it passes this on to its workers
            process.terminate()
            process.wait(20)


class TestSeveralProcesses:
    def test_work_together_and_prometheus_reads_all_of_them_from_the_master(self, stack: Stack, tmp_path: Path) -> None:
        port, master, log = free_port(), str(free_port()), tmp_path / "log"
        options = ["--processes", "2", "--master-bind-port", master, "--master-port", master]
        arguments = command(tmp_path, *options, "--users", "20", "--run-time", "6s")
        withdrawn = 'locust_requests_total{method="POST",name="withdraw"}'
        with running(stack, arguments, log, TRAFFIC="mixed", LOADTEST_METRICS_PORT=str(port)) as process:
            wait_until("all users are at work", lambda: scraped(port).get("locust_users") == 20)
            wait_until("requests are counted", lambda: scraped(port).get(withdrawn))
            samples = scraped(port)
            assert process.wait(40) == 0, log.read_text()
        assert samples["locust_workers"] == 2
        assert samples['locust_failures_total{method="POST",name="withdraw"}'] == 0
        assert samples['locust_response_seconds_count{method="POST",name="withdraw"}'] == samples[withdrawn]
        assert requests_of(tmp_path)["withdraw"] >= samples[withdrawn]
