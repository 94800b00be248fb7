"""What is measured: a PostgreSQL of the run's own, seeded, the floor's copy of it, and settlement and core."""

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from etebar_bench import databases
from etebar_bench.settings import MERCHANTS, Settings
from etebar_quickstart import Ports, QuickstartError, Stack, paths
from etebar_quickstart.printer import Printer
from etebar_quickstart.redis_server import connect
from etebar_quickstart.stack import silent
from etebar_quickstart.state import StateDirectory

TOKENS = "bench:tokens"
# Limits and pool are never the bound here. Tokens outlive the longest run.
SEED = f"""
from datetime import timedelta
from decimal import Decimal
from core.environment import ENVIRONMENT
from payments.sandbox.services import Seed, TokenPreload, preload_tokens, seed_sandbox
seed_sandbox(Seed(merchants={MERCHANTS}, credit_limit=Decimal("100000000.00"), pool=Decimal("100000000000.00")))
preload_tokens(TokenPreload({MERCHANTS}, ENVIRONMENT.redis_url, "{TOKENS}", timedelta(days=1)))
"""
NO_RATE_LIMITS = {"RATE_LIMIT_MERCHANT": "off", "RATE_LIMIT_ADDRESS": "off"}
# Settlement's, the request log's, our own and the superuser's.
OTHER_CONNECTIONS = 30


@dataclasses.dataclass(frozen=True)
class Stage:
    """`tokens` is a file with an access token a line; merchants are numbered on from `first_merchant`."""

    stack: Stack
    directory: Path
    tokens: Path
    first_merchant: int


@contextlib.contextmanager
def staged(settings: Settings, printer: Printer) -> Iterator[Stage]:
    """Everything runs; at the end everything is ended and the data removed, but for the logs.

    The data is beside the demo's, on a disk: a temporary directory may be memory, where a commit costs nothing.
    """
    os.environ["GRANIAN_WORKERS"] = str(settings.processes)
    directory = paths.state_directory() / "bench"
    clear(directory)
    stack = Stack(directory, ports=Ports.free(), durable=True, report=printer.notice, on_death=printer.failure)
    try:
        with stack:
            yield _fill(stack, settings)
    finally:
        leave_logs(directory)


def clear(directory: Path) -> None:
    """Ends and removes what a killed run left; raises QuickstartError while another one runs."""
    if directory.exists():
        claimed = StateDirectory(directory)
        claimed.claim(None, silent)
        shutil.rmtree(directory)
        claimed.release()


def leave_logs(directory: Path) -> None:
    """Removes all but the logs."""
    for entry in directory.iterdir():
        if entry.is_dir() and entry.name != "logs":
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.is_file():
            entry.unlink()


def _fill(stack: Stack, settings: Settings) -> Stage:
    threads = int(os.environ.get("WEB_THREADS") or "32")
    clients = max(settings.clients, default=0)
    databases.allow_connections(stack, clients + settings.processes * (threads + 1) + OTHER_CONNECTIONS)
    stack.start("settlement")
    _seed(stack)
    databases.make_floor(stack)
    stack.start("core", env=NO_RATE_LIMITS)
    return Stage(stack, stack.state.path, _write_tokens(stack), _first_merchant(stack))


def _seed(stack: Stack) -> None:
    done = stack.manage("shell", "-c", SEED)
    if done.returncode:
        raise QuickstartError("the sandbox could not be seeded", (done.stdout + done.stderr).splitlines()[-8:])


def _write_tokens(stack: Stack) -> Path:
    with connect(stack.environments.redis_url()) as client:
        tokens = [str(token, "ascii") for token in client.lrange(TOKENS, 0, -1)]
    if len(tokens) != MERCHANTS:
        raise QuickstartError(f"there are {len(tokens)} tokens; expected {MERCHANTS}")
    path = stack.state.path / "tokens"
    path.touch(mode=0o600)
    path.write_text("\n".join(tokens) + "\n")
    return path


def _first_merchant(stack: Stack) -> int:
    """The lowest number: pgbench draws merchants by number, so that there may be no gap."""
    with databases.connected(stack, "etebar_audit", "walletdb") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM payments_merchant")
        first, last = cursor.fetchone() or (0, 0)
    if last - first + 1 != MERCHANTS:
        raise QuickstartError(f"merchants are numbered {first} to {last}; expected {MERCHANTS} without a gap")
    return int(first)
