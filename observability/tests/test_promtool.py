"""Finding promtool, and what it is given. The rules' own tests run in `python -m etebar_observability promtool`."""

from pathlib import Path

import pytest

from etebar_observability import promtool
from etebar_observability.cli import main
from etebar_quickstart import QuickstartError


def _program(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of its own, without anything."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PROMTOOL_IMAGE", raising=False)
    return tmp_path


class TestCommand:
    def test_takes_what_is_on_the_path(self, path: Path) -> None:
        _program(path, "promtool", "exit 0")
        assert promtool.command() == [str(path / "promtool")]

    def test_takes_our_image_otherwise(self, path: Path) -> None:
        _program(path, "docker", "echo 0123abcd; echo older")
        command = promtool.command()
        assert command[:3] == ["docker", "run", "--rm"]
        assert command[-3:] == ["--entrypoint", "promtool", "0123abcd"]

    def test_takes_another_image_when_told(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PROMTOOL_IMAGE", "prom/prometheus:v2.53.3")
        assert promtool.command()[-1] == "prom/prometheus:v2.53.3"

    @pytest.mark.parametrize("docker", [None, "exit 0", "exit 1"], ids=["no docker", "no image", "no daemon"])
    def test_says_what_is_needed_where_there_is_none(self, path: Path, docker: str | None) -> None:
        if docker:
            _program(path, "docker", docker)
        with pytest.raises(QuickstartError, match="there is no promtool") as error:
            promtool.command()
        assert "etebar-prometheus" in " ".join(error.value.details)


class TestCheckRules:
    def test_checks_all_rules_and_runs_all_tests(self, path: Path) -> None:
        _program(path, "promtool", 'echo "$@"')
        checked, tested = promtool.check_rules().splitlines()
        assert checked.startswith("check rules charts/etebar-observability/files/rules/")
        assert all(f"{name}.yaml" in checked for name in ("money", "platform", "services", "slos"))
        assert all(f"rule_tests/{name}.yaml" in tested for name in ("healthy", "money", "platform", "services", "slos"))

    def test_fails_with_what_promtool_said(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        _program(path, "promtool", 'echo "unexpected alert"; exit 1')
        assert main(["promtool"]) == 1
        printed = capsys.readouterr()
        assert "unexpected alert" in printed.out + printed.err
