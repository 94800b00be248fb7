"""The programs that deploy the platform: finding them, and running them."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from etebar_quickstart import QuickstartError

SOURCES = {
    "docker": "https://docs.docker.com/engine/install",
    "git": "https://git-scm.com/downloads",
    "helm": "https://helm.sh/docs/intro/install",
    "kind": "https://kind.sigs.k8s.io/docs/user/quick-start",
    "kubectl": "https://kubernetes.io/docs/tasks/tools",
}
LAST_LINES = 20


def require(*names: str) -> None:
    """Raises QuickstartError with one line for each program that is not there."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        lines = [f"{name} is not on PATH; it comes from {SOURCES[name]}" for name in missing]
        raise QuickstartError(f"needed, but not installed: {', '.join(missing)}", lines)


def require_docker() -> None:
    """Raises QuickstartError unless docker's daemon is there for us, too."""
    if not succeeds("docker", "version"):
        raise QuickstartError("docker is installed, but its daemon does not answer: `docker version` says why")


def find(name: str) -> str:
    """The path of a program; QuickstartError when it is not there."""
    require(name)
    return str(shutil.which(name))


def run(
    name: str,
    *arguments: str,
    given: bytes = b"",
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """What the program writes to stdout; QuickstartError with its last lines when it fails.

    `given` is its stdin; `environment` is added to ours.
    """
    done = subprocess.run(
        [find(name), *arguments],
        check=False,
        capture_output=True,
        input=given,
        cwd=directory,
        env={**os.environ, **(environment or {})},
    )
    output, errors = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
    if done.returncode:
        command = " ".join([name, *arguments[:2]])
        last_lines = f"{output}\n{errors}".strip().splitlines()[-LAST_LINES:]
        raise QuickstartError(f"`{command}` failed with code {done.returncode}", last_lines)
    return output


def succeeds(name: str, *arguments: str) -> bool:
    """Whether the program ends with code 0; what it says is not shown."""
    command = [find(name), *arguments]
    return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
