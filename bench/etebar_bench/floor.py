"""The floor: pgbench calls one function that makes the writes of one withdrawal, on a copy of the seeded walletdb."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from etebar_bench.databases import FLOOR
from etebar_bench.measured import Answers, percentile
from etebar_bench.run import run_watched
from etebar_bench.settings import MERCHANTS
from etebar_bench.stage import Stage
from etebar_quickstart import QuickstartError, paths
from etebar_quickstart.ports import HOST

SCRIPT = Path(__file__).with_name("floor.pgbench")
THREADS = 2
# To connect, and for the last transactions to end after the time is up.
SPARE_SECONDS = 60.0
LATENCY_COLUMN = 2


def run(stage: Stage, clients: int, seconds: int) -> Answers:
    """One row of the floor; every transaction is one withdrawal."""
    log = stage.directory / "pgbench"
    output, cpu_seconds = run_watched(
        _command(stage, clients, seconds, log), stage.stack, seconds=seconds + SPARE_SECONDS, environment=_place(stage)
    )
    return parse(output, _lines_of(log), cpu_seconds)


def parse(output: str, log: Iterable[str], cpu_seconds: float) -> Answers:
    """Reads pgbench's closing lines and its log of transactions; raises QuickstartError when they are not understood.

    The time to connect does not count. Each line of the log is: client, number, latency in µs, script, time.
    """
    processed = _number(r"transactions actually processed: (\d+)", output)
    latencies_ms = [int(line.split()[LATENCY_COLUMN]) / 1000 for line in log]
    return Answers(
        seconds=processed / (_number(r"tps = ([\d.]+)", output) or 1.0),
        final=int(processed),
        other_errors=int(_number(r"number of failed transactions: (\d+)", output)),
        p50_ms=percentile(latencies_ms, 0.50),
        p99_ms=percentile(latencies_ms, 0.99),
        generator_cpu_seconds=cpu_seconds,
    )


def _number(pattern: str, output: str) -> float:
    found = re.search(pattern, output)
    if not found:
        raise QuickstartError(f"pgbench's output has no {pattern!r}", output.splitlines()[-8:])
    return float(found[1])


def _command(stage: Stage, clients: int, seconds: int, log: Path) -> list[str]:
    merchants = ["-D", f"first={stage.first_merchant}", "-D", f"last={stage.first_merchant + MERCHANTS - 1}"]
    load = ["-n", "-c", str(clients), "-j", str(min(THREADS, clients)), "-T", str(seconds), "-M", "prepared"]
    # Every transaction is logged: a line of 40 bytes into a buffer is nothing beside the transaction.
    logged = ["-l", f"--log-prefix={log}"]
    return [str(paths.POSTGRES_BINARIES / "pgbench"), *load, *logged, *merchants, "-f", str(SCRIPT)]


def _place(stage: Stage) -> dict[str, str]:
    """Core's own role: it has the same rights, and the same triggers apply to it."""
    environments = stage.stack.environments
    place = {"PGHOST": HOST, "PGPORT": str(environments.ports.postgres), "PGDATABASE": FLOOR}
    secret = {"PGUSER": "wallet_app", "PGPASSWORD": environments.secrets.of_role("wallet_app")}
    return {"PATH": os.environ.get("PATH", ""), **place, **secret}


def _lines_of(log: Path) -> Iterator[str]:
    """The lines of each of pgbench's threads; the files are removed."""
    for path in log.parent.glob(f"{log.name}.*"):
        with path.open() as lines:
            yield from lines
        path.unlink()
