"""What metrics and traces cost: the table, and the shortest run of it."""

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from etebar_bench.cli import parse
from etebar_bench.observability import page
from etebar_bench.observability.page import Taken
from etebar_bench.observability.variants import NEITHER, VARIANTS
from etebar_bench.settings import Work

from .factories import measured, report

METRICS, TRACES, TENTH = VARIANTS[1:]
TAKEN = [
    Taken(variant, measured(Work.SINGLE, 32, number, rate))
    for number, rates in ((1, (1000, 900, 500, 950)), (2, (500, 500, 350, 500)))
    for variant, rate in zip(VARIANTS, rates, strict=True)
]


class TestThePage:
    def test_compares_with_neither_of_the_same_round(self) -> None:
        assert page.ratios(TAKEN, TRACES, 32, lambda one: one.final_per_s) == pytest.approx([0.5, 0.7])
        # the same CPU time for fewer withdrawals
        assert page.ratios(TAKEN, TRACES, 32, page.cpu_ms) == pytest.approx([2.0, 1 / 0.7])
        shares = {row[0]: row[4] for row in page.rows(TAKEN)}
        assert shares == {NEITHER.name: "1.00", METRICS.name: "0.95", TRACES.name: "0.60", TENTH.name: "0.97"}

    def test_has_every_row_and_what_else_ran(self) -> None:
        text = page.page(dt.date(2026, 11, 27), TAKEN, report().proof, {"cores": 2}, ["the machine was busy"])
        assert all(f"| {variant.name} | 32 |" in text for variant in VARIANTS)
        assert "- the machine was busy" in text
        assert "- cores: 2" in text


class TestTheArguments:
    def test_have_clients_of_their_own_unless_some_are_named(self) -> None:
        assert parse(["--observability"]).clients == (32, 128)
        assert parse(["--observability", "--clients", "8"]).clients == (8,)
        assert parse([]).clients == (8, 32, 128)


class TestWebhooks:
    def test_are_compared_with_no_trigger(self, state: Path) -> None:
        options = ["--webhooks", "--rounds", "1", "--seconds", "1", "--clients", "2"]
        command = [sys.executable, "-m", "etebar_bench", *options]
        environ = {**os.environ, "ETEBAR_STATE_DIR": str(state), "SETTLE_DEADLINE_SECONDS": "30"}
        done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"no trigger +2 +[\d,]+ +1\.00", done.stdout)
        assert re.search(r"all have one +2 +[\d,]+ +\d\.\d\d", done.stdout)


class TestTheRun:
    def test_reads_metrics_and_receives_spans(self, state: Path, tmp_path: Path) -> None:
        options = ["--observability", "--rounds", "1", "--seconds", "1", "--clients", "2", "--output", str(tmp_path)]
        command = [sys.executable, "-m", "etebar_bench", *options]
        environ = {**os.environ, "ETEBAR_STATE_DIR": str(state), "SETTLE_DEADLINE_SECONDS": "30"}
        done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stdout + done.stderr
        (written,) = tmp_path.glob("observability-*.md")
        text = written.read_text()
        assert re.search(r"metrics were read: core \d times", text)
        assert re.search(r"spans were received: (?!0\.0)[\d.]+ MB", text)
