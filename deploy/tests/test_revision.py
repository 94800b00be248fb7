"""Tags of images: what tree they are from."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import scratch_repository as scratch

from etebar_deploy import revision
from etebar_quickstart import QuickstartError

VALID_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return scratch.repository(tmp_path)


def tag(repository: Path) -> str:
    return revision.read(repository).tag


class TestACleanTree:
    def test_has_version_and_commit_in_its_tag(self, repository: Path) -> None:
        head = scratch.git(repository, "rev-parse", "HEAD").strip()
        found = revision.read(repository)
        assert found.tag == f"1.2.3-g{head[:12]}"
        assert found.label == head
        assert found.committed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def test_stays_clean_when_what_git_ignores_changes(self, repository: Path) -> None:
        before = tag(repository)
        scratch.write(repository, "ignored/secret")
        assert tag(repository) == before

    def test_stays_clean_when_a_file_is_only_touched(self, repository: Path) -> None:
        before = tag(repository)
        (repository / "pyproject.toml").touch()
        assert tag(repository) == before

    def test_of_a_version_with_a_plus_has_a_tag_that_docker_takes(self, repository: Path) -> None:
        scratch.write(repository, "pyproject.toml", '[project]\nversion = "1.2.3+local"\n')
        assert VALID_TAG.fullmatch(tag(repository))
        assert tag(repository).startswith("1.2.3-local-g")


class TestATreeThatDiffers:
    @pytest.mark.parametrize("name", ["pyproject.toml", "new/file with spaces", "نو"])
    def test_is_marked(self, repository: Path, name: str) -> None:
        clean = revision.read(repository)
        scratch.write(repository, name, 'project = {version = "1.2.3"}\n')
        found = revision.read(repository)
        assert re.fullmatch(re.escape(clean.tag) + r"\.dirty-[0-9a-f]{8}", found.tag)
        assert VALID_TAG.fullmatch(found.tag)
        assert found.label == clean.label + found.tag.removeprefix(clean.tag)

    def test_has_the_same_tag_while_it_is_the_same(self, repository: Path) -> None:
        scratch.write(repository, "new")
        first = tag(repository)
        assert tag(repository) == first
        scratch.git(repository, "add", "new")
        assert tag(repository) == first, "staged or not is no difference"
        scratch.write(repository, "new", "other text\n")
        assert tag(repository) != first
        scratch.write(repository, "new")
        assert tag(repository) == first

    def test_has_a_tag_of_its_own_when_a_file_is_gone_renamed_or_may_be_run(self, repository: Path) -> None:
        path = repository / "pyproject.toml"
        tags = {tag(repository)}
        path.chmod(0o755)
        tags.add(tag(repository))
        path.chmod(0o644)
        ignore = repository / ".gitignore"
        ignore.rename(repository / "other")
        tags.add(tag(repository))
        (repository / "other").unlink()
        tags.add(tag(repository))
        assert len(tags) == 4


class TestReading:
    def test_leaves_the_repository_as_it_was(self, repository: Path) -> None:
        scratch.write(repository, "new")
        before = state(repository)
        revision.read(repository)
        assert state(repository) == before

    def test_is_refused_outside_git(self, tmp_path: Path) -> None:
        with pytest.raises(QuickstartError, match="tagged by the commit"):
            revision.read(tmp_path)

    def test_is_refused_before_the_first_commit(self, tmp_path: Path) -> None:
        scratch.git(tmp_path, "init", "--quiet")
        with pytest.raises(QuickstartError, match="has none"):
            revision.read(tmp_path)


def state(repository: Path) -> tuple[str, set[Path], bytes]:
    objects = set((repository / ".git" / "objects").rglob("*"))
    index = (repository / ".git" / "index").read_bytes()
    return scratch.git(repository, "diff", "--cached", "--name-only"), objects, index
