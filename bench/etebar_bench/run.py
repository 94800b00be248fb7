"""A program whose end is awaited while the platform is watched; it never outlives the wait."""

import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

from etebar_quickstart import QuickstartError, Stack

LOOK_SECONDS = 0.2


def run_watched(
    command: Sequence[str], stack: Stack, *, seconds: float, environment: Mapping[str, str]
) -> tuple[str, float]:
    """Its standard output and the CPU seconds that it took.

    Raises QuickstartError when it fails, when it takes longer than `seconds`, and when a service dies meanwhile.
    """
    before = _children_cpu_seconds()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment)
        try:
            _await(process, stack, time.monotonic() + seconds)
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            message = f"{command[0]} ended with code {process.returncode}"
            raise QuickstartError(message, (output.read() + errors.read()).splitlines()[-8:])
        return output.read(), _children_cpu_seconds() - before


def _await(process: "subprocess.Popen[bytes]", stack: Stack, deadline: float) -> None:
    while process.poll() is None:
        if stack.deaths:
            raise QuickstartError(f"a service died under load: {stack.deaths[0]}")
        if time.monotonic() > deadline:
            raise QuickstartError(f"{process.args!r} did not end in time")
        time.sleep(LOOK_SECONDS)


def _children_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
