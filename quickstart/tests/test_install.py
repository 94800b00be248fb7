"""locks/install says in one line what is missing, before it has changed anything."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from etebar_quickstart import paths


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What locks/install needs of the repository."""
    shutil.copytree(paths.REPOSITORY / "locks", tmp_path / "locks")
    return tmp_path


def install(clone: Path, python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [clone / "locks" / "install", "runtime"],
        check=False,
        env={"PATH": os.environ["PATH"], "PYTHON": python},
        capture_output=True,
        text=True,
    )


def fake_python(directory: Path, code: str) -> str:
    program = directory / "fake-python"
    program.write_text(f"#!/bin/sh\n{code}\n")
    program.chmod(0o755)
    return str(program)


class TestPython:
    def test_one_that_is_too_old_is_named_with_its_version(self, clone: Path) -> None:
        old = fake_python(clone, 'case "$1" in --version) echo "Python 3.9.1" ;; *) exit 1 ;; esac')
        done = install(clone, old)
        assert done.returncode != 0
        assert done.stderr.splitlines() == [
            f"Python 3.11 or newer is needed; {old} is Python 3.9.1. Name one: make PYTHON=/path/to/python3.12 ..."
        ]
        assert not (clone / ".venv").exists()

    def test_one_that_is_not_there_is_said_to_be_missing(self, clone: Path) -> None:
        done = install(clone, "/nonexistent/python3")
        assert done.returncode != 0
        assert "/nonexistent/python3 is" in done.stderr
        assert "missing" in done.stderr

    def test_one_that_cannot_make_an_environment_names_the_package_to_install(self, clone: Path) -> None:
        broken = fake_python(clone, 'test "$1" = -m && { mkdir -p .venv; exit 1; }; echo "Python 3.12.1"')
        done = install(clone, broken)
        assert done.returncode != 0
        assert "python3-venv" in done.stderr
        assert not (clone / ".venv").exists(), "nothing half made is left"
