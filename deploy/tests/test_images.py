"""Names of images, and what is told before anything is built. That they work is tried on a cluster (tests/e2e)."""

from pathlib import Path

import pytest

from etebar_deploy import images, tools
from etebar_deploy.cli import main
from etebar_quickstart import QuickstartError
from etebar_quickstart.printer import Printer


class TestNames:
    def test_are_those_of_the_chart(self) -> None:
        assert images.image_names("", "1.0") == [
            "etebar-core:1.0",
            "etebar-settlement:1.0",
            "etebar-operator:1.0",
            "etebar-pgbouncer:1.0",
            "etebar-redis:1.0",
            "etebar-postgresql:1.0",
            "etebar-exporters:1.0",
            "etebar-prometheus:1.0",
            "etebar-loadtest:1.0",
        ]

    @pytest.mark.parametrize("registry", ["registry.example.com:5000/pay", "registry.example.com:5000/pay/"])
    def test_have_the_registry_before_them(self, registry: str) -> None:
        assert images.image_names(registry, "1.0")[0] == "registry.example.com:5000/pay/etebar-core:1.0"

    def test_that_no_image_has_are_told_with_those_that_there_are(self) -> None:
        with pytest.raises(QuickstartError, match="no image kore; there are core, settlement, operator, pgbouncer"):
            images.build(Printer(), ["kore", "core"])


class TestAMissingProgram:
    @pytest.fixture(autouse=True)
    def no_programs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))

    def test_is_told_in_a_line_of_its_own(self) -> None:
        with pytest.raises(QuickstartError) as told:
            tools.require("kind", "helm")
        assert [line.partition(";")[0] for line in told.value.details] == ["kind is not on PATH", "helm is not on PATH"]

    def test_ends_the_command_with_code_1(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["images"]) == 1
        said = capsys.readouterr().out
        assert "docker is not on PATH; it comes from https://docs.docker.com" in said
        assert "git is not on PATH" in said
        assert "Traceback" not in said


class TestRunning:
    def test_a_program_that_fails_is_told_with_its_last_lines(self) -> None:
        with pytest.raises(QuickstartError, match="`git no-such-command` failed with code 1") as told:
            tools.run("git", "no-such-command")
        assert "not a git command" in told.value.details[0]

    def test_gives_stdin_and_returns_stdout(self) -> None:
        assert tools.run("git", "hash-object", "--stdin", given=b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n"
