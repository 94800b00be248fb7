"""What goes wrong, and is mended again, while merchants withdraw."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import psycopg2
from integration.platform import Platform
from integration.waiting import wait_until

from etebar_quickstart import paths
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.redis_server import connect
from etebar_quickstart.stack import Stack

from .experiment import CLIENTS, Strike
from .link import Link, State
from .recording import Recording

LASTS_SECONDS = 4.0
APPLICATIONS = ("wallet_app", "settlement_app")


def restarted(name: str, how: str) -> Strike:
    """A service or database ends (`stop`, `kill9`), clients notice, and it is started again."""

    def strike(platform: Platform, _: Recording) -> None:
        getattr(platform.stack, how)(name)
        time.sleep(1)
        platform.stack.restart(name)

    return strike


def killed_repeatedly(name: str, times: int) -> Strike:
    """SIGKILL at moments that nobody chose, and a new one each time."""

    def strike(platform: Platform, recording: Recording) -> None:
        for _ in range(times):
            recording.wait_for_answers(CLIENTS)
            platform.stack.kill9(name)
            platform.stack.restart(name)

    return strike


@contextlib.contextmanager
def superuser(stack: Stack, database: str = "walletdb") -> Iterator["psycopg2.extensions.cursor"]:
    """A cursor of PostgreSQL's superuser, each statement committed by itself."""
    connection = psycopg2.connect(stack.dsn("postgres", database))
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def connections_killed(platform: Platform, recording: Recording) -> None:
    """All connections of both applications, ten times, in the middle of whatever they were at."""
    with superuser(platform.stack) as cursor:
        for _ in range(10):
            recording.wait_for_answers(CLIENTS // 2)
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = ANY(%s)",
                [list(APPLICATIONS)],
            )


def pool_locked(platform: Platform, _: Recording) -> None:
    """Somebody holds the pool's row."""
    connection = psycopg2.connect(platform.stack.dsn("wallet"))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM payments_creditpool FOR UPDATE")
            time.sleep(LASTS_SECONDS)
    finally:
        connection.close()


def statements_time_out(platform: Platform, recording: Recording) -> None:
    """The pool's row is held, and statement_timeout is shorter than anybody's patience."""
    with superuser(platform.stack) as cursor:
        cursor.execute("SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'wallet_app'::regrole")
        before = dict(each.split("=", 1) for (found,) in cursor.fetchall() for each in found)["statement_timeout"]
        try:
            _set_statement_timeout(cursor, "200ms")
            pool_locked(platform, recording)
        finally:
            _set_statement_timeout(cursor, before)


def _set_statement_timeout(cursor: "psycopg2.extensions.cursor", value: str) -> None:
    cursor.execute("ALTER ROLE wallet_app SET statement_timeout = %s", [value])
    # it counts from the next connection on
    cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'wallet_app'")


def messages_lost(platform: Platform, recording: Recording) -> None:
    """FLUSHALL, again and again: rate limits, the queue, what was taken from it."""
    with connect(platform.stack.environments.redis_url()) as client:
        for _ in range(20):
            client.flushall()
            recording.wait_for_answers(1)


def redis_full(platform: Platform, _: Recording) -> None:
    """Redis refuses each write: its memory is used up and nothing may be thrown out."""
    with connect(platform.stack.environments.redis_url()) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        try:
            time.sleep(LASTS_SECONDS)
        finally:
            client.config_set("maxmemory", "0")


def frozen(name: str) -> Strike:
    """All processes of a service stand still, and go on later where they were."""

    def strike(platform: Platform, _: Recording) -> None:
        main = psutil.Process(platform.stack.process(name).pid)
        family = [main, *main.children(recursive=True)]
        for each in family:
            each.suspend()
        try:
            time.sleep(LASTS_SECONDS)
        finally:
            for each in family:
                each.resume()

    return strike


def link_is(link: Link, state: State) -> Strike:
    """The network between core and settlement is like that for a while, longer than core waits for an answer."""

    def strike(_platform: Platform, _recording: Recording) -> None:
        with link.being(state):
            time.sleep(2 * LASTS_SECONDS)

    return strike


def two_dispatchers(platform: Platform, recording: Recording) -> None:
    """A second worker and a second beat, beside those that are there."""
    stack = platform.stack
    environment = {**stack.core_env(), **_own_settings(stack, "worker"), "METRICS_PORT": "0"}
    celery = [sys.executable, "-m", "celery", "-A", "core"]
    worker = [*celery, "worker", "--concurrency", "2", "--hostname", "second", "--without-gossip", "--without-mingle"]
    beat = [*celery, "beat", "--schedule", str(stack.state.path / "second-beat")]
    with running(worker, environment), running(beat, environment):
        recording.wait_for_answers(10 * CLIENTS)
        time.sleep(LASTS_SECONDS)


def _own_settings(stack: Stack, name: str) -> dict[str, str]:
    running_one = psutil.Process(stack.process(name).pid).environ()
    return {key: value for key, value in running_one.items() if key.startswith("DISPATCH_")}


@contextlib.contextmanager
def running(command: Sequence[str], environment: dict[str, str]) -> Iterator[None]:
    """A process of core's, until the end of the block."""
    process = subprocess.Popen(
        command, cwd=paths.CORE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
        assert process.poll() is None, f"{command} ended with {process.returncode}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def clock_skewed(name: str, offset: str, library: Path) -> Strike:
    """A service whose clock is wrong; what it started with before comes back afterwards."""

    def strike(platform: Platform, recording: Recording) -> None:
        settings = dict(psutil.Process(platform.stack.process(name).pid).environ())
        # an interval is an interval whatever the time of day is
        skewed = {"LD_PRELOAD": str(library), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        platform.stack.restart(name, env={**settings, **skewed})
        recording.wait_for_answers(10 * CLIENTS)
        time.sleep(LASTS_SECONDS)
        platform.stack.restart(name, env=settings)

    return strike


@contextlib.contextmanager
def small_disk(stack: Stack, directory: Path, megabytes: int) -> Iterator[Callable[[], None]]:
    """PostgreSQL's data on a disk of that size; what it yields fills the disk. Takes root, for a mount."""
    data = stack.state.path / "postgres"
    stack.stop("postgres")
    owner = data.stat()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", directory], check=True)
    try:
        place = directory / "data"
        subprocess.run(["cp", "-a", str(data), str(place)], check=True)
        data.rename(data.with_name("postgres-before"))
        data.symlink_to(place)
        os.chown(place, owner.st_uid, owner.st_gid)
        stack.restart("postgres")
        yield lambda: _fill(directory / "filler")
    finally:
        stack.stop("postgres")
        data.unlink(missing_ok=True)
        data.with_name("postgres-before").rename(data)
        subprocess.run(["umount", directory], check=True)


def _fill(filler: Path) -> None:
    """Writes until the disk is full."""
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * (1 << 16))


def disk_full(fill: Callable[[], None], directory: Path) -> Strike:
    """The disk fills up; later there is room again, and PostgreSQL is started if it has ended."""

    def strike(platform: Platform, recording: Recording) -> None:
        fill()
        recording.wait_for_told(503, CLIENTS)
        (directory / "filler").unlink()
        wait_until("PostgreSQL runs", lambda: _revived(platform) or None)

    return strike


def _revived(platform: Platform) -> bool:
    """As a cluster does: what ends while it starts is started again."""
    try:
        platform.revive()
    except QuickstartError:
        return False
    return platform.stack.process("postgres").is_running
