"""Which tree this is, as git knows it: the tag and the label of its images."""

import dataclasses
import re
import shutil
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from etebar_deploy import tools
from etebar_quickstart import QuickstartError, paths

NOT_IN_A_TAG = re.compile(r"[^A-Za-z0-9_.-]")


@dataclasses.dataclass(frozen=True)
class Revision:
    """`changes` are 8 hex digits over the files of a tree that differs from its commit, or empty; the time is UTC."""

    version: str
    commit: str
    changes: str
    committed_at: datetime

    @property
    def tag(self) -> str:
        """`0.1.0-g0123456789ab`, and `.dirty-01234567` after it when something is not committed."""
        return NOT_IN_A_TAG.sub("-", f"{self.version}-g{self.commit[:12]}{self._dirty}")

    @property
    def label(self) -> str:
        """The whole commit, marked in the same way."""
        return self.commit + self._dirty

    @property
    def _dirty(self) -> str:
        return f".dirty-{self.changes}" if self.changes else ""


def read(repository: Path = paths.REPOSITORY) -> Revision:
    """That of `repository` now: the same files give the same revision. QuickstartError outside git."""
    if not tools.succeeds("git", "-C", str(repository), "rev-parse", "--verify", "HEAD"):
        raise QuickstartError(f"images are tagged by the commit that they are made of, but {repository} has none")
    commit, committed_tree, seconds = _git(repository, "show", "-s", "--format=%H %T %ct", "HEAD").split()
    tree = _tree_of_files(repository)
    with (repository / "pyproject.toml").open("rb") as file:
        version = str(tomllib.load(file)["project"]["version"])
    changes = "" if tree == committed_tree else tree[:8]
    return Revision(version, commit, changes, datetime.fromtimestamp(int(seconds), UTC))


def _tree_of_files(repository: Path) -> str:
    """Git's hash of the files as they are, untracked ones too, ignored ones not.

    It is made with an index and objects of its own: nothing is staged, and nothing added to the repository.
    """
    objects, index = (_git(repository, "rev-parse", "--git-path", name).strip() for name in ("objects", "index"))
    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        if (repository / index).exists():
            # with it, files that did not change since are not read again
            shutil.copy2(repository / index, scratch / "index")
        (scratch / "objects").mkdir()
        environment = {
            "GIT_INDEX_FILE": str(scratch / "index"),
            "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(repository / objects),
        }
        _git(repository, "add", "--all", environment=environment)
        return _git(repository, "write-tree", environment=environment).strip()


def _git(repository: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    return tools.run("git", *arguments, directory=repository, environment=environment)
