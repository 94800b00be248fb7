"""A child is ended by the id it was started under, with all that it started itself."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from etebar_quickstart import QuickstartError
from etebar_quickstart.process import ManagedProcess, Program
from etebar_quickstart.record import ProcessRecord, Started

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"
HAS_CHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]); {SLEEPS}"
FAILS = "import sys; print('the disk is full'); sys.exit(3)"


@contextlib.contextmanager
def child(directory: Path, code: str) -> Iterator[ManagedProcess]:
    log = directory / "child.log"
    program = Program(
        name="child",
        arguments=[sys.executable, "-c", code],
        directory=directory,
        environment={},
        ready=lambda: log.exists() and b"up" in log.read_bytes(),
    )
    process = ManagedProcess(program, logs=directory, record=ProcessRecord(directory))
    try:
        yield process
    finally:
        process.kill9()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_child_of(pid: int) -> int:
    for _ in range(200):
        if children := psutil.Process(pid).children():
            return children[0].pid
        time.sleep(0.02)
    raise AssertionError("no child appeared")


class TestStart:
    def test_it_leads_a_session_of_its_own(self, tmp_path: Path) -> None:
        with child(tmp_path, SLEEPS) as process:
            process.start()
            assert os.getsid(process.pid) == process.pid != os.getsid(0)

    def test_one_that_ends_at_once_is_told_with_code_and_last_lines(self, tmp_path: Path) -> None:
        with child(tmp_path, FAILS) as process:
            process.start()
            with pytest.raises(QuickstartError) as told:
                process.wait_ready()
        assert "child ended with code 3" in str(told.value)
        assert "\n" not in str(told.value)
        assert told.value.details == ("the disk is full",)

    def test_one_that_never_gets_ready_is_told(self, tmp_path: Path) -> None:
        with child(tmp_path, "import time; time.sleep(600)") as process:
            process.start()
            with pytest.raises(QuickstartError, match="not ready within"):
                process.wait_ready(timeout_seconds=0.2)

    def test_the_log_of_an_earlier_start_is_not_quoted(self, tmp_path: Path) -> None:
        (tmp_path / "child.log").write_text("long ago\n")
        with child(tmp_path, FAILS) as process:
            process.start()
            with pytest.raises(QuickstartError):
                process.wait_ready()
            assert process.tail() == ["the disk is full"]


class TestEnd:
    def test_one_that_is_deaf_to_sigterm_is_killed(self, tmp_path: Path) -> None:
        with child(tmp_path, DEAF) as process:
            process.start()
            process.wait_ready()
            process.stop(timeout_seconds=0.3)
            assert process.how_it_ended() == "was ended by SIGKILL"

    @pytest.mark.parametrize("end", [ManagedProcess.stop, ManagedProcess.kill9])
    def test_what_it_started_ends_with_it(self, tmp_path: Path, end: object) -> None:
        with child(tmp_path, HAS_CHILD) as process:
            process.start()
            grandchild = wait_for_child_of(process.pid)
            process.stop() if end is ManagedProcess.stop else process.kill9()
            psutil.wait_procs([psutil.Process(grandchild)] if psutil.pid_exists(grandchild) else [], timeout=5)
            assert not is_alive(grandchild)

    def test_an_end_that_was_asked_for_is_no_death(self, tmp_path: Path) -> None:
        with child(tmp_path, SLEEPS) as process:
            process.start()
            process.wait_ready()
            process.stop()
            assert not process.has_died

    def test_an_end_that_nobody_asked_for_is_one(self, tmp_path: Path) -> None:
        with child(tmp_path, SLEEPS) as process:
            process.start()
            process.wait_ready()
            os.kill(process.pid, signal.SIGKILL)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            assert process.has_died
            assert process.how_it_ended() == "was ended by SIGKILL"


class TestRecord:
    def test_it_holds_who_runs_and_forgets_who_was_ended(self, tmp_path: Path) -> None:
        record = ProcessRecord(tmp_path)
        with child(tmp_path, SLEEPS) as process:
            process.start()
            assert [(entry.name, entry.pid) for entry in record.read()] == [("child", process.pid)]
            process.stop()
            assert record.read() == []

    def test_leftovers_are_ended_with_what_they_started(self, tmp_path: Path) -> None:
        with child(tmp_path, HAS_CHILD) as process:
            process.start()
            grandchild = wait_for_child_of(process.pid)
            assert [left.pid for left in ProcessRecord(tmp_path).end_leftovers()] == [process.pid]
            assert not is_alive(process.pid)
            assert not is_alive(grandchild)

    def test_children_of_a_dead_leader_are_ended_too(self, tmp_path: Path) -> None:
        with child(tmp_path, HAS_CHILD) as process:
            process.start()
            grandchild = wait_for_child_of(process.pid)
            os.kill(process.pid, signal.SIGKILL)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            ProcessRecord(tmp_path).end_leftovers()
            assert not is_alive(grandchild)

    def test_a_stranger_who_got_the_number_is_left_alone(self, tmp_path: Path) -> None:
        with child(tmp_path, SLEEPS) as process:
            process.start()
            mine = Started.of("child", process.pid)
            for stale in (
                Started(mine.name, mine.pid, mine.start_time - 3600, mine.executable),
                Started(mine.name, mine.pid, mine.start_time, "/usr/bin/other"),
            ):
                record = ProcessRecord(tmp_path)
                record.add(stale)
                assert record.end_leftovers() == []
                assert is_alive(process.pid)
