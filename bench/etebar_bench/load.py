"""HTTP load on core: started, awaited, and what the generator counted."""

import os
import re

from etebar_bench.generator import ANSWER_SECONDS, Generator, Load
from etebar_bench.measured import Answers
from etebar_bench.run import run_watched
from etebar_bench.stage import Stage
from etebar_quickstart import QuickstartError

COUNT = re.compile(r"^etebar (\w+) (\d+)$", re.MULTILINE)
SAMPLE = re.compile(r"^etebar-sample (.+)$", re.MULTILINE)


def run(stage: Stage, generator: Generator, load: Load) -> Answers:
    """One row of withdrawals over HTTP."""
    command = generator.command(load, stage.stack.environments.core_url)
    seconds = load.seconds + 2.0 * ANSWER_SECONDS
    output, cpu_seconds = run_watched(command, stage.stack, seconds=seconds, environment=os.environ)
    return parse(output, cpu_seconds)


def parse(output: str, cpu_seconds: float) -> Answers:
    """The lines `etebar NAME NUMBER` of load.lua or python_load; raises QuickstartError when one is missing."""
    counts = {name: int(number) for name, number in COUNT.findall(output)}
    sample = SAMPLE.search(output)
    try:
        return Answers(
            seconds=counts["duration_us"] / 1e6,
            final=counts["final"],
            refused=counts["refused"],
            pending=counts["pending"],
            other_errors=counts["other_errors"] + counts["socket_errors"],
            p50_ms=counts["p50_us"] / 1e3,
            p99_ms=counts["p99_us"] / 1e3,
            generator_cpu_seconds=cpu_seconds,
            sample=sample[1].strip() if sample else "",
        )
    except KeyError as error:
        raise QuickstartError(f"the load generator did not tell {error}", output.splitlines()[-8:]) from error
