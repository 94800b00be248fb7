"""The whole demo, as a person runs it: told, ended, killed, started again. One state directory through all of it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from etebar_quickstart import Ports
from etebar_quickstart.ports import variable
from etebar_quickstart.testing import temporary_state

from .factories import command_line

SERVICES = {"postgres", "redis", "settlement", "core", "worker", "beat", "webhooks"}
START_TIMEOUT_SECONDS = 120
RUNNING = "Ctrl-C ends it"


class RunningDemo:
    """`demo` or `up` in the background, its output in a file."""

    def __init__(self, environment: dict[str, str], output: Path, command: str) -> None:
        self.output = output
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "etebar_quickstart", command],
                env={**os.environ, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        self.wait_for(RUNNING)

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while words not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    with temporary_state() as state:
        ports = {variable(name): str(port) for name, port in vars(Ports.free()).items()}
        yield {"ETEBAR_STATE_DIR": str(state), **ports}


@contextlib.contextmanager
def running(environment: dict[str, str], output: Path, command: str = "up") -> Iterator[RunningDemo]:
    demo = RunningDemo(environment, output, command)
    try:
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.end(signal.SIGINT)


def recorded(environment: dict[str, str]) -> dict[str, int]:
    entries = json.loads((Path(environment["ETEBAR_STATE_DIR"]) / "processes.json").read_text())
    return {entry["name"]: entry["pid"] for entry in entries}


class TestDemo:
    """In this order: the first start makes the state that the others use."""

    def test_once_everything_holds_and_it_ends_by_itself(self, environment: dict[str, str]) -> None:
        done = command_line("demo", "--once", environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all of it held" in done.stdout
        assert "Idempotency-Replayed: true" in done.stdout
        assert "code=insufficient_credit" in done.stdout
        assert "code=internal_token_missing" in done.stdout
        assert recorded(environment) == {}

    def test_ctrl_c_ends_a_running_one_with_all_its_processes(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        with running(environment, tmp_path / "out", "demo") as demo:
            pids = recorded(environment)
            assert set(pids) == SERVICES
            for path in ("readyz", "api/docs", "api/openapi.json", "admin/login/"):
                url = f"http://127.0.0.1:{environment['ETEBAR_CORE_PORT']}/{path}"
                with urllib.request.urlopen(url) as answer:
                    assert answer.status == 200
            assert demo.end(signal.SIGINT) == 0
        assert not any(psutil.pid_exists(pid) for pid in pids.values())

    def test_after_kill9_the_next_start_cleans_up(self, environment: dict[str, str], tmp_path: Path) -> None:
        with running(environment, tmp_path / "out") as demo:
            pids = recorded(environment)
            demo.end(signal.SIGKILL)
            assert all(psutil.pid_exists(pid) for pid in pids.values()), "nobody ended them"
        done = command_line("demo", "--once", environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        told = [line for line in done.stdout.splitlines() if "was killed" in line]
        assert len(told) == 1
        assert all(f"{name} (pid {pid})" in told[0] for name, pid in pids.items())
        assert not any(psutil.pid_exists(pid) for pid in pids.values())

    def test_a_dead_child_is_told_in_one_line_and_fails_the_run(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        with running(environment, tmp_path / "out") as demo:
            pid = recorded(environment)["settlement"]
            os.kill(pid, signal.SIGKILL)
            line = f"settlement (pid {pid}) was ended by SIGKILL"
            demo.wait_for(line)
            assert len([found for found in demo.text().splitlines() if line in found]) == 1
            assert demo.end(signal.SIGTERM) == 1

    def test_the_story_names_the_step_that_does_not_hold(self, environment: dict[str, str]) -> None:
        """The admin's password is not the one that the database knows."""
        state = Path(environment["ETEBAR_STATE_DIR"])
        secrets = json.loads((state / "secrets.json").read_text())
        (state / "secrets.json").write_text(json.dumps({**secrets, "admin_password": "forgotten"}))
        done = command_line("demo", "--once", environment=environment)
        assert done.returncode == 1
        assert "✗ step 1 (The admin signs in): manage.py createsuperuser failed" in done.stdout
