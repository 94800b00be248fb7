"""The state directory: one owner at a time, who cleans up after a killed one and leaves word for `env`."""

import contextlib
import datetime as dt
import fcntl
import json
import os
from pathlib import Path
from typing import IO, Any

from etebar_quickstart.account import Account, Report, make_reachable
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.record import ProcessRecord

OWNER_FILE = "owner.json"


class StateDirectory:
    """Its lock is the kernel's (flock): it cannot outlive its holder, however that ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = ProcessRecord(path)
        self._lock: IO[str] | None = None

    def claim(self, account: Account | None, report: Report) -> None:
        """Makes this process the owner; raises QuickstartError when another one is."""
        try:
            self._create(account, report)
            lock = (self.path / OWNER_FILE).open("a+")
        except OSError as error:
            message = f"{self.path} cannot be used ({error.strerror}); whose is it? ETEBAR_STATE_DIR names another"
            raise QuickstartError(message) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise QuickstartError(_already_running(self.path)) from error
        self._lock = lock
        if left := self.record.end_leftovers():
            names = ", ".join(f"{started.name} (pid {started.pid})" for started in left)
            report(f"the last run was killed and left {names} behind: ended now")

    def announce(self, **facts: Any) -> None:
        """Writes what others may know about this run: its process, since when, its ports."""
        if self._lock is None:
            raise QuickstartError(f"{self.path} was not claimed")
        since = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        self._lock.truncate(0)
        json.dump({"pid": os.getpid(), "since": since, **facts}, self._lock)
        self._lock.flush()

    def release(self) -> None:
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None

    def _create(self, account: Account | None, report: Report) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        # The databases' account must pass it to its own directory, as others need not.
        self.path.chmod(0o711 if account else 0o700)
        if account:
            make_reachable(self.path, account, report)


def owner(path: Path) -> dict[str, Any] | None:
    """What the running owner of a state directory announced, {} if nothing yet; None when nobody owns it."""
    with contextlib.suppress(FileNotFoundError), (path / OWNER_FILE).open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with contextlib.suppress(ValueError):
                return dict(json.load(file))
            return {}
    return None


def _already_running(path: Path) -> str:
    facts = owner(path) or {}
    who = f"pid {facts['pid']}, since {facts['since']}" if facts else "it is just starting"
    return (
        f"another one runs on {path} ({who}): end it with Ctrl-C, or set ETEBAR_STATE_DIR and other ports for this one"
    )
