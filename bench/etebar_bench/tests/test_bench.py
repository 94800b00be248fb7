"""The whole bench on real processes, as short as it can be; how fast they are does not matter."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

COMMAND = [sys.executable, "-m", "etebar_bench", "--rounds", "1", "--seconds", "1", "--clients", "2"]


def environment(state: Path) -> dict[str, str]:
    """On a machine that is slow, an answer may take long and is final still."""
    return {**os.environ, "ETEBAR_STATE_DIR": str(state), "SETTLE_DEADLINE_SECONDS": "30"}


class TestBench:
    def test_every_withdrawal_that_was_answered_is_booked_and_paid(self, state: Path, tmp_path: Path) -> None:
        command = [*COMMAND, "--only", "floor,single", "--output", str(tmp_path)]
        done = subprocess.run(command, check=False, env=environment(state), capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "no errors, and the books are exact" in done.stdout
        (data,) = (json.loads(path.read_text()) for path in tmp_path.glob("*.json"))
        assert [(row["work"], row["books"], row["errors"]) for row in data["rows"]] == [
            ("floor", "exact", 0),
            ("single", "exact", 0),
        ]
        assert data["settings"]["postgres_fsync"] == data["settings"]["postgres_synchronous_commit"] == "on"
        assert data["books"]["settled"] == data["books"]["paid"]
        assert data["books"]["settled"]["count"] == data["books"]["answered"] + data["books"]["unseen"]
        assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".md", ".svg"}
        assert not (state / "bench" / "postgres").exists(), "the data is gone"

    def test_ctrl_c_ends_everything_that_it_started(self, state: Path) -> None:
        command = [*COMMAND, "--seconds", "60", "--no-write"]
        with subprocess.Popen(command, env=environment(state), stdout=subprocess.PIPE, text=True) as bench:
            assert bench.stdout is not None
            while "warming up" not in bench.stdout.readline():
                assert bench.poll() is None
            time.sleep(1)
            started = psutil.Process(bench.pid).children(recursive=True)
            bench.send_signal(signal.SIGINT)
            assert bench.wait(30) == 130
        assert len(started) > 4
        assert not psutil.wait_procs(started, timeout=5)[1]
