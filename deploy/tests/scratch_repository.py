"""A git repository of its own for a test."""

import subprocess
from pathlib import Path

# no setting of the person or machine that runs the tests
QUIET = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "PATH": "/usr/bin:/bin:/usr/local/bin"}
WHO = {
    f"GIT_{role}_{name}": value
    for role in ("AUTHOR", "COMMITTER")
    for name, value in (("NAME", "Mina"), ("EMAIL", "mina@example.com"), ("DATE", "2026-01-02T03:04:05Z"))
}


def write(repository: Path, name: str, text: str = "text\n") -> Path:
    path = repository / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=QUIET | WHO).stdout


def commit(repository: Path) -> str:
    """Commits everything and returns the commit."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "work")
    return git(repository, "rev-parse", "HEAD").strip()


def repository(directory: Path) -> Path:
    """Two committed files, and `ignored/`, which git ignores."""
    directory.mkdir(exist_ok=True)
    git(directory, "init", "--quiet")
    write(directory, "pyproject.toml", '[project]\nname = "etebar"\nversion = "1.2.3"\n')
    write(directory, ".gitignore", "ignored/\n")
    commit(directory)
    return directory
