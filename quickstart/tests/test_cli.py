"""The command line tells what is wrong in one line and with a code."""

import os
import socket
from pathlib import Path

import pytest

from etebar_common import problems
from etebar_quickstart import Ports, generate, state
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.printer import Printer

from .factories import command_line, databases


class TestTrouble:
    def test_a_used_port_is_one_line_and_code_1(self, state: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
            settings = {"ETEBAR_STATE_DIR": str(state), "ETEBAR_CORE_PORT": port}
            others = {f"ETEBAR_{name}_PORT": "0" for name in ("SETTLEMENT", "POSTGRES", "REDIS")}
            done = command_line("demo", "--once", environment=settings | others)
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) == 1
        assert f"port {port} (core) is in use by pid {os.getpid()}" in done.stdout
        assert done.stderr == ""

    def test_a_wrong_port_is_one_line_and_code_1(self, state: Path) -> None:
        done = command_line("up", environment={"ETEBAR_STATE_DIR": str(state), "ETEBAR_REDIS_PORT": "redis"})
        assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
        assert "ETEBAR_REDIS_PORT" in done.stdout

    def test_a_second_one_is_one_line_and_code_1(self, state: Path) -> None:
        with databases(state):
            done = command_line("up", environment={"ETEBAR_STATE_DIR": str(state)})
        assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
        assert f"pid {os.getpid()}" in done.stdout

    def test_env_without_a_running_stack_says_how_to_start_one(self, state: Path) -> None:
        done = command_line("env", environment={"ETEBAR_STATE_DIR": str(state)})
        assert done.returncode == 1
        assert "make demo" in done.stdout


class TestWhileItRuns:
    def test_env_exports_what_reaches_the_running_databases(self, state: Path) -> None:
        with databases(state) as stack:
            done = command_line("env", environment={"ETEBAR_STATE_DIR": str(state)})
            assert f"export PGPORT={stack.ports.postgres}" in done.stdout.splitlines()
            assert f"export REDIS_URL={stack.environments.redis_url()}" in done.stdout.splitlines()

    def test_clean_refuses(self, state: Path) -> None:
        with databases(state):
            done = command_line("clean", environment={"ETEBAR_STATE_DIR": str(state)})
            assert done.returncode == 1
            assert (state / "postgres").exists()


class TestOwner:
    def test_it_is_known_while_it_owns_and_not_after(self, state: Path) -> None:
        ports = Ports.free()
        with databases(state, ports):
            facts = _owner(state)
            assert facts is not None
            assert (facts["pid"], facts["ports"]) == (os.getpid(), vars(ports))
        assert _owner(state) is None


class TestGeneratedFiles:
    def test_the_errors_page_names_every_error(self) -> None:
        page = generate.errors_page()
        for problem in problems.registry():
            assert f"## {problem.code}\n\n**{problem.status}** {problem.title}.\n\n{problem.remedy}\n" in page

    def test_a_stale_one_is_named_and_left_alone_by_the_check(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(generate.paths, "REPOSITORY", tmp_path)
        monkeypatch.setattr(generate, "_documents", lambda: {tmp_path / "page.md": lambda: "new"})
        # what documents cite has tests of its own, which collect for seconds
        monkeypatch.setattr(generate.proofs, "CITING", ())
        monkeypatch.setattr(generate.proofs, "PROMISING", {})
        (tmp_path / "page.md").write_text("old")
        with pytest.raises(QuickstartError, match=r"page\.md; run `make generate`"):
            generate.run(Printer(), check=True)
        assert (tmp_path / "page.md").read_text() == "old"
        assert generate.run(Printer(), check=False) == 0
        assert generate.run(Printer(), check=True) == 0


def _owner(directory: Path) -> dict[str, object] | None:
    return state.owner(directory)
