"""The databases survive what can happen to them and to the process that started them."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from etebar_quickstart import Ports, QuickstartError

from .factories import databases, owner_process, query

MAKE_NOTE = "CREATE TABLE note (text text); INSERT INTO note VALUES ('still here')"


class TestKilledOwner:
    def test_the_next_start_ends_what_it_left_and_says_so(self, state: Path) -> None:
        ports = Ports.free()
        with owner_process(state, ports) as (owner, pids):
            owner.kill()
            owner.wait()
            assert all(psutil.pid_exists(pid) for pid in pids.values())
            told: list[str] = []
            with databases(state, ports, report=told.append) as stack:
                assert stack.process("postgres").pid != pids["postgres"]
                assert not any(psutil.pid_exists(pid) for pid in pids.values())
        assert len(told) == 1
        assert f"postgres (pid {pids['postgres']})" in told[0]
        assert f"redis (pid {pids['redis']})" in told[0]

    def test_nothing_that_was_committed_is_lost(self, state: Path) -> None:
        ports = Ports.free()
        with databases(state, ports, durable=True) as stack:
            query(stack.dsn("wallet"), MAKE_NOTE)
        with owner_process(state, ports) as (owner, _):
            query(stack.dsn("wallet"), "INSERT INTO note VALUES ('and this')")
            owner.kill()
            owner.wait()
            with databases(state, ports) as stack:
                assert query(stack.dsn("wallet"), "SELECT text FROM note") == [("still here",), ("and this",)]


class TestSecondOwner:
    def test_it_is_told_in_one_line_who_the_first_is(self, state: Path) -> None:
        ports = Ports.free()
        with owner_process(state, ports) as (owner, pids):
            with pytest.raises(QuickstartError) as told, databases(state):
                pytest.fail("two owners at once")
            assert f"pid {owner.pid}" in str(told.value)
            assert "\n" not in str(told.value)
            assert all(psutil.pid_exists(pid) for pid in pids.values()), "the first one's servers go on"

    def test_a_used_database_port_is_told_and_leaves_nothing_behind(self, state: Path) -> None:
        ports = Ports.free()
        with databases(state, ports) as first:
            other = state / "other"
            with pytest.raises(QuickstartError) as told, databases(other, ports):
                pytest.fail("started on a used port")
            holder = first.process("postgres").pid
        assert f"port {ports.postgres} (postgres) is in use by pid {holder}" in str(told.value)
        assert not (other / "postgres").exists()


class TestPostgresDataDirectory:
    def test_a_stale_pid_file_that_names_a_living_stranger_is_removed(self, state: Path) -> None:
        with databases(state):
            pass
        (state / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{state / 'postgres'}\n")
        with databases(state) as stack:
            assert query(stack.dsn("postgres", "postgres"), "SELECT 1") == [(1,)]

    def test_a_server_that_no_record_names_is_ended_before_the_next_starts(self, state: Path) -> None:
        ports = Ports.free()
        with owner_process(state, ports) as (owner, pids):
            owner.kill()
            owner.wait()
            (state / "processes.json").unlink()
            os.kill(pids["redis"], signal.SIGTERM)
            psutil.wait_procs([psutil.Process(pids["redis"])], timeout=5)
            with databases(state) as stack:  # on other ports: the old server still has its own
                assert not psutil.pid_exists(pids["postgres"])
                assert query(stack.dsn("postgres", "postgres"), "SELECT 1") == [(1,)]

    def test_an_interrupted_making_is_made_again(self, state: Path) -> None:
        (state / "postgres.new-0a1b2c3d" / "base").mkdir(parents=True)
        with databases(state, template=None) as stack:
            assert query(stack.dsn("postgres", "postgres"), "SELECT 1") == [(1,)]


class TestSingleProcess:
    def test_postgres_comes_back_after_kill9_with_its_data(self, state: Path) -> None:
        with databases(state, durable=True) as stack:
            query(stack.dsn("wallet"), MAKE_NOTE)
            stack.kill9("postgres")
            stack.restart("postgres")
            assert query(stack.dsn("wallet"), "SELECT text FROM note") == [("still here",)]

    def test_a_death_is_told_once_in_one_line_with_the_log(self, state: Path) -> None:
        told: list[tuple[str, list[str]]] = []
        with databases(state, on_death=lambda line, log: told.append((line, log))) as stack:
            redis = stack.process("redis")
            os.kill(redis.pid, signal.SIGKILL)
            deadline = time.monotonic() + 5
            while not told and time.monotonic() < deadline:
                time.sleep(0.05)
            time.sleep(0.5)
        assert len(told) == 1
        line, log = told[0]
        assert line.startswith(f"redis (pid {redis.pid}) was ended by SIGKILL")
        assert "\n" not in line
        assert any("Ready to accept connections" in entry for entry in log)
        assert stack.deaths == [line]

    def test_what_is_stopped_or_killed_on_purpose_is_no_death(self, state: Path) -> None:
        with databases(state) as stack:
            stack.stop("redis")
            stack.kill9("postgres")
            time.sleep(0.5)
        assert stack.deaths == []

    def test_an_unknown_name_is_told_with_those_there_are(self, state: Path) -> None:
        with databases(state) as stack, pytest.raises(QuickstartError, match="postgres, redis"):
            stack.stop("cor")
