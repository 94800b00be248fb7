"""The capacity measurements run on a few rows and leave books that agree; what they cost does not matter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from etebar_bench.capacity.costs import line
from etebar_bench.capacity.parts import with_clocks

FEW = ["--merchants", "20,40", "--withdrawals", "55", "--of-merchants", "10", "--lists", "1,3", "--repeats", "2"]


POOLS = ["--merchants", "20", "--lists", "1,3", "--pools", "0.1"]


def run(state: Path, arguments: list[str]) -> str:
    command = [sys.executable, "-m", "etebar_bench.capacity", *arguments]
    environment = {**os.environ, "ETEBAR_STATE_DIR": str(state)}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The books agree (I1-I6)" in done.stdout
    assert not (state / "capacity" / "postgres").exists(), "the data is gone"
    return done.stdout


class TestCapacity:
    def test_few_rows_are_measured_and_the_books_agree(self, state: Path) -> None:
        output = run(state, FEW)
        assert "20 merchants: us of a list" in output
        assert "write_accepted 2: INSERT INTO payments_withdrawal" in output

    def test_connections_at_once_are_measured_and_the_books_agree(self, state: Path) -> None:
        assert "2 connections, two pools" in run(state, POOLS)


class TestLine:
    def test_goes_through_points_of_a_line(self) -> None:
        found = line([(1, 110.0), (10, 200.0), (100, 1100.0)])
        assert found.fixed_us == pytest.approx(100)
        assert found.member_us == pytest.approx(10)


class TestClocks:
    def test_stand_around_each_statement_of_the_body(self) -> None:
        source = "CREATE FUNCTION f()\nBEGIN\n    x := 1;\n    IF y THEN\n        z := 2;\n    END IF;\nEND\n"
        lines = with_clocks(source, "f").splitlines()
        assert [text.split("'")[1] for text in lines if "RAISE" in text] == ["from f 1: x %", "till f 1: x %"]
