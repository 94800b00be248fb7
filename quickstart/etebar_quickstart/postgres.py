"""An embedded PostgreSQL: the wheel's binaries, run as our own child on 127.0.0.1, with passwords."""

import dataclasses
import signal
from pathlib import Path

import psycopg2

from etebar_quickstart import paths
from etebar_quickstart.account import Report, database_account, prepare_binaries
from etebar_quickstart.ports import HOST
from etebar_quickstart.postgres_data import SUPERUSER, DataDirectory, end_former_server, postgres_environment
from etebar_quickstart.process import ManagedProcess, Program
from etebar_quickstart.record import ProcessRecord

MAX_CONNECTIONS = 200
ACCESS_RULES = f"""\
# Every role gives a password, also from this machine; nothing comes from elsewhere.
host all all {HOST}/32 scram-sha-256
"""
# Only for databases that a test makes and throws away: what a power cut would lose is worth nothing there.
NOT_DURABLE = "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\n"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PostgresOptions:
    """`template` is where the result of initdb is kept for other servers to copy (tests)."""

    directory: Path
    port: int
    password: str
    durable: bool = True
    template: Path | None = None


class PostgresServer:
    """One server on one data directory; survives its own and its owner's `kill -9`."""

    def __init__(self, options: PostgresOptions, *, logs: Path, record: ProcessRecord, report: Report = print) -> None:
        self.options = options
        self.account = database_account()
        self._report = report
        program = Program(
            name="postgres",
            arguments=[str(paths.POSTGRES_BINARIES / "postgres"), "-D", str(options.directory)],
            directory=options.directory,
            environment=postgres_environment(),
            ready=self._answers,
            account=self.account,
            stop_signal=signal.SIGINT,  # fast shutdown: SIGTERM waits for every client to leave
        )
        self.process = ManagedProcess(program, logs=logs, record=record)

    def start(self) -> None:
        """Makes the data directory if there is none, recovers it from a crash, and waits until it answers."""
        data = self.options.directory
        if self.account:
            prepare_binaries(self.account, self._report)
        if not data.exists():
            DataDirectory(data, self.account, durable=self.options.durable).create(
                self.options.password, template=self.options.template
            )
        end_former_server(data)
        self._configure()
        self.process.start()
        self.process.wait_ready()

    def stop(self) -> None:
        self.process.stop()

    def dsn(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """A libpq URL; the superuser's by default."""
        return f"postgresql://{user}:{password or self.options.password}@{HOST}:{self.options.port}/{database}"

    def psql_environment(self) -> dict[str, str]:
        """By which psql finds the server as its superuser, the password on no command line."""
        place = {"PGHOST": HOST, "PGPORT": str(self.options.port), "PGDATABASE": "postgres"}
        return place | {"PGUSER": SUPERUSER, "PGPASSWORD": self.options.password}

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.dsn(), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _configure(self) -> None:
        data, port = self.options.directory, self.options.port
        settings = f"""\
# Written at each start. ALTER SYSTEM (postgresql.auto.conf) goes over it.
listen_addresses = '{HOST}'
port = {port}
unix_socket_directories = ''
max_connections = {MAX_CONNECTIONS}
password_encryption = 'scram-sha-256'
timezone = 'UTC'
log_timezone = 'UTC'
{"" if self.options.durable else NOT_DURABLE}"""
        (data / "postgresql.conf").write_text(settings)
        (data / "pg_hba.conf").write_text(ACCESS_RULES)
