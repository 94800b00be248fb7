"""A runbook for every alert, with the same parts, whose commands do what their mark says."""

import re
import subprocess

import pytest

from etebar_observability import rules, runbooks
from etebar_observability.paths import RUNBOOKS

NAMES = sorted({alert.name for alert in rules.alerts()})
# what changes something, as words of a command
CHANGING = re.compile(
    r"\b(delete|scale|restart|apply|patch|create|edit|annotate|label|rollback|upgrade|uninstall|pg_terminate_backend|cancel|del|"
    r"update|insert|drop|truncate|alter|flushall|kill|reload|pause|resume|drain|cordon|cp|post)\b",
    re.IGNORECASE,
)
LINK = re.compile(r"\]\(([^)#]+)\)")


def _text(name: str) -> str:
    return runbooks.path(name).read_text()


def test_no_page_is_without_an_alert_or_a_task() -> None:
    pages = {path.stem for path in RUNBOOKS.glob("*")} - {"README"}
    assert pages == set(NAMES) | set(runbooks.TASKS)


@pytest.mark.parametrize("name", NAMES)
class TestARunbook:
    def test_has_the_parts_that_all_have(self, name: str) -> None:
        text = _text(name)
        assert text.startswith(f"# {name}\n")
        assert tuple(re.findall(r"^## (.*)$", text, re.MULTILINE)) == runbooks.HEADINGS
        assert all(len(part.strip()) > 10 for part in re.split(r"^## .*$", text, flags=re.MULTILINE)[1:])

    def test_has_something_to_look_at(self, name: str) -> None:
        assert runbooks.blocks(name, "sh")

    def test_has_only_blocks_that_are_marked(self, name: str) -> None:
        marks = re.findall(r"^```(.+)$", _text(name), re.MULTILINE)
        assert set(marks) <= {"sh", "sh change", "promql"}
        assert len(re.findall(r"^```$", _text(name), re.MULTILINE)) == len(marks)

    def test_only_reads_where_it_says_so(self, name: str) -> None:
        for block in runbooks.blocks(name, "sh"):
            assert not CHANGING.search(block), block

    def test_changes_something_where_it_says_so(self, name: str) -> None:
        for block in runbooks.blocks(name, "sh change"):
            assert CHANGING.search(block), block

    def test_has_commands_that_a_shell_can_read(self, name: str) -> None:
        for block in (*runbooks.blocks(name, "sh"), *runbooks.blocks(name, "sh change")):
            read = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
            assert read.returncode == 0, read.stderr

    def test_names_the_namespace_in_every_command(self, name: str) -> None:
        for block in (*runbooks.blocks(name, "sh"), *runbooks.blocks(name, "sh change")):
            for command in re.findall(r"^\s*(?:kubectl|helm) .*$", block, re.MULTILINE):
                assert "--namespace etebar" in command or "--all-namespaces" in command, command

    def test_links_to_pages_that_are_there(self, name: str) -> None:
        for target in LINK.findall(_text(name)):
            assert (RUNBOOKS / target).exists(), target

    def test_says_its_meaning_in_one_sentence_for_the_index(self, name: str) -> None:
        assert 20 < len(runbooks.meaning(name)) < 260


def test_the_commands_that_only_read_are_told_by_name() -> None:
    assert set(runbooks.reading_commands()) == set(NAMES)
    assert all(runbooks.reading_commands().values())
