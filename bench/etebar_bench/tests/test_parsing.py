"""Outputs as the programs wrote them."""

import pytest

from etebar_bench import floor, load
from etebar_quickstart import QuickstartError

PGBENCH = """\
pgbench (16.14)
transaction type: floor.pgbench
scaling factor: 1
query mode: prepared
number of clients: 8
number of threads: 2
maximum number of tries: 1
duration: 2 s
number of transactions actually processed: 2867
number of failed transactions: 1 (0.035%)
latency average = 5.587 ms
initial connection time = 34.031 ms
tps = 1431.843157 (without initial connection time)
"""
LOG = ["0 0 4312 0 1795458241 123456", "1 0 5120 0 1795458241 123999", "0 1 22600 0 1795458241 146056"]
WRK = """\
Running 1s test @ http://127.0.0.1:21734/api/v1/withdrawals
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    31.12ms    6.06ms  48.60ms   70.37%
    Req/Sec   254.10     37.66   303.00     70.00%
  254 requests in 1.01s, 139.12KB read
Requests/sec:    251.43
Transfer/sec:    137.71KB

etebar final 249
etebar pending 2
etebar refused 1
etebar other_errors 2
etebar socket_errors 3
etebar duration_us 1010222
etebar p50_us 31104
etebar p99_us 48602
etebar-sample 503 {"code":"unavailable"}
"""


class TestPgbench:
    def test_time_to_connect_does_not_count(self) -> None:
        answers = floor.parse(PGBENCH, LOG, 0.5)
        assert answers.final == 2867
        assert answers.final / answers.seconds == pytest.approx(1431.843157)
        assert answers.errors == 1
        assert (answers.p50_ms, answers.p99_ms) == (5.12, 22.6)
        assert answers.generator_cpu_seconds == 0.5

    def test_an_output_that_is_not_understood_is_told_with_its_last_lines(self) -> None:
        with pytest.raises(QuickstartError, match="actually processed") as told:
            floor.parse("pgbench: error: the credit is used up\n", [], 0.0)
        assert told.value.details == ("pgbench: error: the credit is used up",)


class TestWrk:
    def test_counts_times_and_the_sample_are_read(self) -> None:
        answers = load.parse(WRK, 0.1)
        assert (answers.final, answers.refused, answers.pending) == (249, 1, 2)
        assert answers.other_errors == 5, "answers and connections"
        assert answers.seconds == pytest.approx(1.010222)
        assert (answers.p50_ms, answers.p99_ms) == (31.104, 48.602)
        assert answers.sample == '503 {"code":"unavailable"}'

    def test_a_missing_count_is_told(self) -> None:
        with pytest.raises(QuickstartError, match="'duration_us'"):
            load.parse("unable to connect to 127.0.0.1:1\n", 0.0)
