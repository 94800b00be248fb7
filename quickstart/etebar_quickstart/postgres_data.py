"""PostgreSQL's data directory: making one, anew or as a copy, and freeing it from a server that was killed."""

import dataclasses
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from etebar_quickstart import paths
from etebar_quickstart.account import Account
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.record import end_all, wait_until_gone

SUPERUSER = "postgres"
BACKEND_END_TIMEOUT_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class DataDirectory:
    """Owned by `account` (our own when None); `durable=False` skips fsync while it is made."""

    path: Path
    account: Account | None
    durable: bool = True

    def create(self, password: str, *, template: Path | None = None) -> None:
        """Makes it, complete or not at all: an interrupted start leaves nothing half made.

        With `template`, copies that one (made first if it is missing) and sets the password afterwards.
        """
        unfinished = self.path.with_name(f"{self.path.name}.new-{secrets.token_hex(4)}")
        try:
            if template is None:
                self._initdb(unfinished, password)
            else:
                self._copy(template, unfinished, password)
            unfinished.rename(self.path)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _copy(self, template: Path, target: Path, password: str) -> None:
        if not template.exists():
            self._make_template(template)
        shutil.copytree(template, target)
        target.chmod(0o700)
        if self.account:
            self.account.owns(target)
        statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}';"
        self._run(["postgres", "--single", "-D", str(target), "postgres"], target, input_text=statement)

    def _make_template(self, template: Path) -> None:
        try:
            dataclasses.replace(self, path=template).create(secrets.token_hex(16))
        except OSError:
            if not template.exists():  # else another test run was faster
                raise

    def _initdb(self, target: Path, password: str) -> None:
        target.mkdir(parents=True, mode=0o700)
        password_file = target.with_name(target.name + ".password")
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        for path in (target, password_file):
            if self.account:
                self.account.owns(path)
        options = [f"--pgdata={target}", f"--username={SUPERUSER}", f"--pwfile={password_file}"]
        options += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--data-checksums"]
        try:
            self._run(["initdb", *options, *([] if self.durable else ["--no-sync"])], target)
        finally:
            password_file.unlink()

    def _run(self, command: list[str], directory: Path, *, input_text: str = "") -> None:
        program, *arguments = command
        done = subprocess.run(
            [str(paths.POSTGRES_BINARIES / program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            input=input_text,
            cwd=directory,
            env=postgres_environment(),
            **(self.account.popen_arguments() if self.account else {}),
        )
        if done.returncode:
            raise QuickstartError(f"{program} failed", done.stderr.splitlines()[-8:])


def default_template() -> Path:
    """Where tests keep the result of initdb: one per version of the binaries and per user."""
    version = subprocess.run(
        [paths.POSTGRES_BINARIES / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout.split()[-1]
    return paths.state_directory() / "templates" / f"postgres-{version}-{os.geteuid()}"


def end_former_server(data: Path) -> None:
    """Makes `data` free: ends a server that still runs on it and removes the pid file of one that does not.

    The pid file alone decides nothing: after a reboot its number can be anybody's, and PostgreSQL would then refuse to
    start. The backends of a killed server end by themselves, but must be gone before the next one starts.
    """
    servers = [process for process in psutil.process_iter() if _works_on(process, data)]
    if pid := _recorded_pid(data):
        end_all(process for process in servers if process.pid == pid)
    if left := wait_until_gone(servers, BACKEND_END_TIMEOUT_SECONDS):
        end_all(left)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _works_on(process: psutil.Process, data: Path) -> bool:
    try:
        return process.name() == "postgres" and Path(process.cwd()) == data
    except psutil.Error:
        return False


def _recorded_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def postgres_environment() -> dict[str, str]:
    """Without PGHOST and its like, which would lead initdb and the server astray."""
    wanted = ("PATH", "TMPDIR") if sys.platform != "darwin" else ("PATH", "TMPDIR", "HOME")
    return {"LC_ALL": "C", **{name: os.environ[name] for name in wanted if name in os.environ}}
