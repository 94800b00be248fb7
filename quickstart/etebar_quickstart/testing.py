"""PostgreSQL and Redis for tests: one of each for a whole test run, shared by its pytest-xdist workers.

As a pytest plugin (`-p etebar_quickstart.testing`) it brings the fixtures `etebar_servers`, `postgres_dsn`, `redis_url`
and `etebar_stack`; elsewhere call `servers()`. The data is thrown away and fsync is off. PYTEST_DONT_REWRITE: other
plugins import this module before pytest does.
"""

import atexit
import contextlib
import fcntl
import functools
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from etebar_quickstart import paths, roles
from etebar_quickstart.account import database_account, make_reachable
from etebar_quickstart.environments import Environments
from etebar_quickstart.ports import Ports
from etebar_quickstart.postgres import PostgresOptions, PostgresServer
from etebar_quickstart.postgres_data import default_template
from etebar_quickstart.record import ProcessRecord
from etebar_quickstart.redis_server import RedisServer
from etebar_quickstart.secret_store import load_or_create
from etebar_quickstart.stack import Stack, in_parallel, silent

REDIS_DATABASES = 16
RUN_VARIABLE = "ETEBAR_TEST_RUN"


class TestServers:
    """The servers of one test run; whoever comes first starts them, whoever leaves last ends them.

    Each user holds a shared lock on `users`. The kernel drops it with the process, so that the count of users is right
    even after a `kill -9`; what such a run leaves behind is ended by the next one.
    """

    __test__ = False

    def __init__(self, name: str) -> None:
        with _one_at_a_time():
            self.directory = _root() / name
            self._users = _use(self.directory)
            self.environments = self._start_or_join()

    def core_env(self) -> dict[str, str]:
        """Core's environment as the role that owns walletdb: tests create databases and clear tables."""
        return self.environments.core_owner()

    def settlement_env(self) -> dict[str, str]:
        return self.environments.settlement_owner()

    def dsn(self, role: str = "postgres", database: str = "postgres") -> str:
        return self.environments.dsn(role, database)

    def leave(self) -> None:
        """Ends the servers if nobody else uses them."""
        with _one_at_a_time():
            self._users.close()
            _end_if_unused(self.directory)

    def _start_or_join(self) -> Environments:
        ports_file = self.directory / "ports.json"
        if not ports_file.exists():
            ports_file.write_text(json.dumps(vars(_start(self.directory).ports)))
        ports = Ports(**json.loads(ports_file.read_text()))
        return Environments("test", ports, load_or_create(self.directory, data=self.directory / "postgres"))


@functools.cache
def servers() -> TestServers:
    """The servers of this test run; ended when the last of its processes exits."""
    end_abandoned()
    # Inherited by pytest-xdist's workers, which so find the servers of the process that started them.
    run = os.environ.setdefault(RUN_VARIABLE, secrets.token_hex(8))
    made = TestServers(f"run-{run}")
    atexit.register(made.leave)
    return made


@contextlib.contextmanager
def temporary_state() -> Iterator[Path]:
    """A state directory for one test. Not pytest's tmp_path: pytest closes its parents to PostgreSQL's account."""
    with _one_at_a_time():
        directory = _root() / f"stack-{secrets.token_hex(8)}"
        user = _use(directory)
    try:
        yield directory
    finally:
        with _one_at_a_time():
            user.close()
            _end_if_unused(directory)


def end_abandoned() -> None:
    """Ends the servers of test runs that were killed, and removes their data."""
    with _one_at_a_time():
        for directory in _root().glob("*-*"):
            _end_if_unused(directory)


def _root() -> Path:
    return paths.state_directory() / "tests"


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """One process at a time starts, joins, leaves or ends."""
    _root().mkdir(parents=True, exist_ok=True)
    with (_root() / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _use(directory: Path) -> IO[str]:
    account = database_account()
    directory.mkdir(exist_ok=True)
    directory.chmod(0o711 if account else 0o700)
    if account:
        make_reachable(directory, account, silent)
    users = (directory / "users").open("a")
    fcntl.flock(users, fcntl.LOCK_SH)
    return users


def _end_if_unused(directory: Path) -> None:
    with (directory / "users").open("a") as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        ProcessRecord(directory).end_leftovers()
        shutil.rmtree(directory, ignore_errors=True)


def _start(directory: Path) -> Environments:
    made = load_or_create(directory, data=directory / "postgres")
    environments = Environments("test", Ports.free(), made)
    record, logs = ProcessRecord(directory), directory / "logs"
    options = PostgresOptions(
        directory=directory / "postgres",
        port=environments.ports.postgres,
        password=made.postgres_password,
        durable=False,
        template=default_template(),
    )
    postgres = PostgresServer(options, logs=logs, record=record, report=silent)
    redis = RedisServer(
        port=environments.ports.redis, password=made.redis_password, logs=logs, record=record, report=silent
    )
    in_parallel(postgres.start, redis.start)
    roles.create(postgres, made, owners_may_create_databases=True)
    postgres.process.detach()
    redis.process.detach()
    return environments


@pytest.fixture(scope="session")
def etebar_servers() -> TestServers:
    """PostgreSQL with our roles and databases (not migrated), and Redis."""
    return servers()


@pytest.fixture(scope="session")
def postgres_dsn(etebar_servers: TestServers) -> Callable[[str, str], str]:
    """`postgres_dsn(role, database)`: a URL with the password."""
    return etebar_servers.dsn


@pytest.fixture(scope="session")
def redis_url(etebar_servers: TestServers) -> str:
    """A Redis database of this xdist worker's own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    number = int(worker.removeprefix("gw")) % REDIS_DATABASES
    return etebar_servers.environments.redis_url().removesuffix("/0") + f"/{number}"


@pytest.fixture(scope="module")
def etebar_stack() -> Iterator[Stack]:
    """Migrated databases of the module's own in the test profile; the test starts the services that it wants."""
    with (
        temporary_state() as state,
        Stack(state, profile="test", durable=False, template=default_template()) as stack,
    ):
        yield stack
