"""One PostgreSQL and one Redis for a test run, however many workers it has and however it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil

from etebar_quickstart.testing import RUN_VARIABLE, end_abandoned

USER = """
import json, sys
from etebar_quickstart.record import ProcessRecord
from etebar_quickstart.testing import servers
used = servers()
print(json.dumps({entry.name: entry.pid for entry in ProcessRecord(used.directory).read()}), flush=True)
print(used.directory, flush=True)
sys.stdin.read()
"""


class User:
    """A process that uses the servers of the run `run` until it is told to leave."""

    def __init__(self, run: str) -> None:
        environment = {**os.environ, RUN_VARIABLE: run}
        command = [sys.executable, "-c", USER]
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.servers: dict[str, int] = json.loads(self.process.stdout.readline())
        self.directory = Path(self.process.stdout.readline().strip())

    def leave(self) -> None:
        self.process.communicate(timeout=30)

    def kill9(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


def all_run(servers: dict[str, int]) -> bool:
    return all(psutil.pid_exists(pid) for pid in servers.values())


def none_runs(servers: dict[str, int]) -> bool:
    left = [psutil.Process(pid) for pid in servers.values() if psutil.pid_exists(pid)]
    return not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


class TestSharing:
    def test_the_last_to_leave_ends_them(self) -> None:
        first = User("sharing-order")
        second = User("sharing-order")
        assert first.servers == second.servers
        assert set(first.servers) == {"postgres", "redis"}
        first.leave()
        assert all_run(second.servers), "they outlive the one who started them"
        second.leave()
        assert none_runs(second.servers)
        assert not second.directory.exists()

    def test_runs_do_not_share(self) -> None:
        first, second = User("sharing-a"), User("sharing-b")
        assert not set(first.servers.values()) & set(second.servers.values())
        first.leave()
        second.leave()

    def test_what_a_killed_run_left_is_ended_by_the_next(self) -> None:
        killed = User("sharing-killed")
        killed.kill9()
        assert all_run(killed.servers)
        end_abandoned()
        assert none_runs(killed.servers)
        assert not killed.directory.exists()
