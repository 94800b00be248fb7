"""Prometheus' own checks of the rules.

promtool is no Python package: it is on PATH, or in the image etebar-prometheus.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence

from etebar_observability import rules
from etebar_observability.paths import RULE_TESTS
from etebar_quickstart import QuickstartError
from etebar_quickstart.paths import REPOSITORY

IMAGE = "etebar-prometheus"
NEEDED = (
    "promtool is on PATH, for example from Debian's package prometheus,",
    f"or docker has an image {IMAGE} (`make images ARGS=prometheus`),",
    "or PROMTOOL_IMAGE names another image that has promtool",
)


def check_rules() -> str:
    """`promtool check rules` of all files and `promtool test rules` of all tests; returns what it said.

    Raises QuickstartError with its last lines when a rule or a test does not hold, or when there is no promtool.
    """
    program = command()
    files = [_relative(path) for path in rules.files()]
    tests = [_relative(path) for path in sorted(RULE_TESTS.glob("*.yaml"))]
    return _run(program, "check", "rules", *files) + _run(program, "test", "rules", *tests)


def command() -> list[str]:
    """How promtool is started in the repository's root; QuickstartError when it cannot be."""
    if found := shutil.which("promtool"):
        return [found]
    if image := _image():
        where = ["--volume", f"{REPOSITORY}:/repository:ro", "--workdir", "/repository"]
        return ["docker", "run", "--rm", *where, "--entrypoint", "promtool", image]
    raise QuickstartError("the rules cannot be tested here: there is no promtool. It is found when", NEEDED)


def _image() -> str | None:
    """The image that PROMTOOL_IMAGE names, or the newest of ours."""
    if named := os.environ.get("PROMTOOL_IMAGE"):
        return named
    if shutil.which("docker") is None:
        return None
    listed = subprocess.run(
        ["docker", "images", "--quiet", IMAGE], check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return next(iter(listed.stdout.split()), None) if listed.returncode == 0 else None


def _run(program: Sequence[str], *arguments: str) -> str:
    done = subprocess.run([*program, *arguments], check=False, capture_output=True, text=True, cwd=REPOSITORY)
    said = done.stdout + done.stderr
    if done.returncode:
        raise QuickstartError(f"`promtool {' '.join(arguments[:2])}` does not hold", said.strip().splitlines())
    return said


def _relative(path: os.PathLike[str]) -> str:
    return os.path.relpath(path, REPOSITORY)
