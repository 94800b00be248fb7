"""Who makes the HTTP load: wrk where there is one, else a program of our own, which costs more."""

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from etebar_bench.settings import Row
from etebar_quickstart import QuickstartError

HERE = Path(__file__).parent
REMEDY = "wrk is a load generator: apt install wrk, or brew install wrk; or set WRK=/path"
ANSWER_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class Load:
    """One row's load: `ids` is the file for the ids of settled withdrawals; keys begin with `prefix`."""

    row: Row
    seconds: int
    tokens: Path
    prefix: str
    ids: Path


@dataclasses.dataclass(frozen=True)
class Generator:
    """`label` is what readers of the results are told."""

    program: tuple[str, ...]
    label: str
    is_wrk: bool

    def command(self, load: Load, core_url: str) -> list[str]:
        """The same arguments for wrk and for python_load."""
        path = "/api/v1/withdrawals/bulk" if load.row.batch > 1 else "/api/v1/withdrawals"
        options = ["-t", "1", "-c", str(load.row.clients), "-d", f"{load.seconds}s", "--timeout", f"{ANSWER_SECONDS}s"]
        script = ["-s", str(HERE / "load.lua")] if self.is_wrk else []
        rest = [load.row.work, str(load.tokens), load.prefix, str(load.ids), str(load.row.batch)]
        return [*self.program, *options, *script, core_url + path, "--", *rest]


def find(choice: str, environ: Mapping[str, str] = os.environ) -> Generator:
    """`choice` is auto, wrk or python; raises QuickstartError when wrk is asked for and is not there."""
    if choice == "python":
        return _python()
    named = environ.get("WRK")
    program = shutil.which(named or "wrk")
    if program:
        return Generator((program,), f"wrk {_version(program)}", is_wrk=True)
    if named:
        raise QuickstartError(f"WRK is {named!r}, which is no program. {REMEDY}")
    if choice == "wrk":
        raise QuickstartError(f"wrk is not installed. {REMEDY}")
    return _python()


def _python() -> Generator:
    label = "python (its cost is part of what is measured)"
    return Generator((sys.executable, "-m", "etebar_bench.python_load"), label, is_wrk=False)


def _version(program: str) -> str:
    """`wrk debian/4.1.0-3 [epoll] Copyright ...`: the second word; wrk ends with code 1 after its usage."""
    done = subprocess.run([program, "--version"], check=False, capture_output=True, text=True)
    words = (done.stdout + done.stderr).split()
    return words[1] if len(words) > 1 else "of unknown version"
