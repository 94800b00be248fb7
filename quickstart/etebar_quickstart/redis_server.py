"""An embedded Redis on 127.0.0.1 with a password. It keeps nothing on disk: losing Redis loses no money."""

from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from etebar_quickstart import paths
from etebar_quickstart.account import Report, database_account, prepare_binaries
from etebar_quickstart.ports import HOST
from etebar_quickstart.process import ManagedProcess, Program
from etebar_quickstart.record import ProcessRecord


class RedisServer:
    def __init__(self, *, port: int, password: str, logs: Path, record: ProcessRecord, report: Report = print) -> None:
        self.port = port
        self.password = password
        self._report = report
        program = Program(
            name="redis",
            arguments=[str(paths.REDIS_SERVER), "-"],
            directory=Path("/"),
            environment={"LC_ALL": "C"},
            ready=self._answers,
            account=database_account(),
            # On standard input, so that the password shows in no list of processes.
            input_text=_configuration(port, password),
        )
        self.process = ManagedProcess(program, logs=logs, record=record)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        if self.process.program.account:
            prepare_binaries(self.process.program.account, self._report)
        self.process.start()
        self.process.wait_ready()

    def stop(self) -> None:
        self.process.stop()

    def url(self, database: int = 0) -> str:
        """Its address with the password, as Celery and redis-cli -u take it."""
        return f"redis://:{self.password}@{HOST}:{self.port}/{database}"

    def client(self, database: int = 0) -> redis.Redis:
        """A connection of your own to one of its databases."""
        return connect(self.url(database))

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False


def connect(url: str) -> redis.Redis:
    """A client that reports an absent server at once, where the library would retry for seconds."""
    return redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))


def _configuration(port: int, password: str) -> str:
    return f"""\
bind {HOST}
port {port}
requirepass {password}
save ""
appendonly no
set-proc-title no
"""
