"""The platform on one machine: databases first, then migrations, then our own processes."""

import functools
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from etebar_quickstart import paths, roles, secret_store, services
from etebar_quickstart.account import Report, database_account
from etebar_quickstart.environments import Environments
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.ports import Ports
from etebar_quickstart.postgres import PostgresOptions, PostgresServer
from etebar_quickstart.process import ManagedProcess
from etebar_quickstart.redis_server import RedisServer
from etebar_quickstart.state import StateDirectory
from etebar_quickstart.supervisor import OnDeath, Supervisor

MIGRATIONS: dict[str, tuple[Path, tuple[str, ...]]] = {
    "core": (paths.CORE, ("manage.py", "migrate", "--verbosity", "1")),
    "settlement": (paths.SETTLEMENT, ("-m", "alembic", "upgrade", "head")),
}


def silent(_line: str) -> None:
    """A report that tells nobody."""


class Stack:
    """PostgreSQL, Redis and our services on one state directory; a context manager.

    On entry the databases run and are migrated. Then `start("settlement", "core", env={...})` starts services in
    parallel and returns when each is ready; `stop`, `kill9`, `restart`, `wait_ready` take one name. Names are
    settlement, core, worker, beat; all but `start` also know postgres and redis. A service keeps its overrides (`env`)
    when it is restarted unless others are given. On exit everything is ended, and the data stays.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        profile: str = "sandbox",
        ports: Ports | None = None,
        durable: bool = True,
        template: Path | None = None,
        migrate: bool = True,
        report: Report = silent,
        on_death: OnDeath | None = None,
    ) -> None:
        self.state = StateDirectory(state_dir.resolve())
        self.ports = ports or Ports.free()
        self.profile = profile
        self.deaths: list[str] = []
        self._durable = durable
        self._template = template
        self._migrates = migrate
        self._report = report
        self._on_death = on_death
        self._overrides: dict[str, Mapping[str, str]] = {}
        self._processes: dict[str, ManagedProcess] = {}
        self._supervisor = Supervisor(lambda: list(self._processes.values()), self._died)

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Claims the state directory, ends what a killed owner left there, starts and migrates the databases."""
        self.state.claim(database_account(), self._report)
        self.ports.check_free()
        self.state.announce(profile=self.profile, ports=vars(self.ports))
        self._supervisor.start()
        self._start_databases()
        if self._migrates:
            in_parallel(*(functools.partial(self.migrate, service) for service in MIGRATIONS))

    def close(self) -> None:
        """Ends everything, services before databases; leaves the data."""
        self._supervisor.stop()
        in_parallel(*(self._processes[name].stop for name in services.NAMES if name in self._processes))
        in_parallel(*(self._processes[name].stop for name in ("redis", "postgres") if name in self._processes))
        self.state.release()

    @functools.cached_property
    def environments(self) -> Environments:
        secrets = secret_store.load_or_create(self.state.path, data=self._postgres_directory)
        return Environments(self.profile, self.ports, secrets)

    @property
    def logs(self) -> Path:
        return self.state.path / "logs"

    def core_env(self) -> dict[str, str]:
        return self.environments.core()

    def owner_env(self) -> dict[str, str]:
        """Core's environment with the role that owns walletdb."""
        return self.environments.core_owner()

    def settlement_env(self) -> dict[str, str]:
        return self.environments.settlement()

    def dsn(self, role: str = "wallet_app", database: str = "walletdb") -> str:
        return self.environments.dsn(role, database)

    def process(self, name: str) -> ManagedProcess:
        """The process of that name; raises QuickstartError when it was never started."""
        if name not in self._processes:
            raise QuickstartError(f"{name} was not started; there is {', '.join(self._processes) or 'nothing'}")
        return self._processes[name]

    def start(self, *names: str, env: Mapping[str, str] | None = None) -> None:
        """Starts services (all when none is named) in parallel and waits until each is ready."""
        chosen = names or services.NAMES
        for name in chosen:
            if env is not None:
                self._overrides[name] = env
            self._launch(name)
        in_parallel(*(self._processes[name].wait_ready for name in chosen))

    def stop(self, name: str) -> None:
        self.process(name).stop()

    def kill9(self, name: str) -> None:
        """SIGKILL to the service's processes at once, as when its container is killed."""
        self.process(name).kill9()

    def restart(self, name: str, env: Mapping[str, str] | None = None) -> None:
        """Stops it if it runs, starts it again and waits until it is ready."""
        self.process(name).stop()
        if name == "postgres":
            self._postgres.start()
        elif name == "redis":
            self._redis.start()
        else:
            self.start(name, env=env)

    def wait_ready(self, name: str) -> None:
        self.process(name).wait_ready()

    def migrate(self, service: str) -> None:
        """Brings the database of core or settlement up to date, as its owner."""
        directory, arguments = MIGRATIONS[service]
        owner = self.environments.core_owner() if service == "core" else self.environments.settlement_owner()
        done = _run([sys.executable, *arguments], directory, owner)
        if done.returncode:
            raise QuickstartError(f"the migration of {service} failed", (done.stdout + done.stderr).splitlines()[-8:])

    def manage(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs core's manage.py with the application's role and returns its output and code."""
        return _run([sys.executable, "manage.py", *arguments], paths.CORE, self.core_env() | dict(env or {}))

    @property
    def _postgres_directory(self) -> Path:
        return self.state.path / "postgres"

    @functools.cached_property
    def _postgres(self) -> PostgresServer:
        options = PostgresOptions(
            directory=self._postgres_directory,
            port=self.ports.postgres,
            password=self.environments.secrets.postgres_password,
            durable=self._durable,
            template=self._template,
        )
        return PostgresServer(options, logs=self.logs, record=self.state.record, report=self._report)

    @functools.cached_property
    def _redis(self) -> RedisServer:
        password = self.environments.secrets.redis_password
        return RedisServer(
            port=self.ports.redis, password=password, logs=self.logs, record=self.state.record, report=self._report
        )

    def _start_databases(self) -> None:
        self._processes |= {"postgres": self._postgres.process, "redis": self._redis.process}
        in_parallel(self._postgres.start, self._redis.start)
        roles.create(
            self._postgres, self.environments.secrets, owners_may_create_databases=self.profile != "production"
        )

    def _launch(self, name: str) -> None:
        if name in self._processes and self._processes[name].is_running:
            raise QuickstartError(f"{name} runs already")
        chosen = services.program(name, self.environments, self.state.path, self._overrides.get(name, {}))
        self._processes[name] = ManagedProcess(chosen, logs=self.logs, record=self.state.record)
        self._processes[name].start()

    def _died(self, line: str, log_lines: list[str]) -> None:
        self.deaths.append(line)
        if self._on_death is not None:
            self._on_death(line, log_lines)


def in_parallel(*actions: Callable[[], None]) -> None:
    """Runs the actions at the same time; raises the first one's error after all have ended."""
    if not actions:
        return
    with ThreadPoolExecutor(len(actions)) as pool:
        started = [pool.submit(action) for action in actions]
    for future in started:
        future.result()


def _run(command: list[str], directory: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, cwd=directory, env=dict(environment), capture_output=True, text=True)
