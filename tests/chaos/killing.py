"""The recorder beside a platform, and core's processes killed while it is at work."""

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from integration import books
from integration.api import Merchant
from integration.platform import Platform
from integration.waiting import wait_until

from etebar_quickstart import paths

from .history import Event, read
from .orders import Caller

CLIENTS, BULK_CLIENTS, IMPATIENT_CLIENTS = 64, 6, 6
ORDINARY, LIMIT, SMALL_LIMIT = 8, "50000.00", "3.00"
END_SECONDS = 60.0
# how long core serves between two kills
SERVES_SECONDS = (0.2, 1.2)


@dataclass(frozen=True)
class Recording:
    """The recorder's process and its file."""

    process: subprocess.Popen[bytes]
    path: Path

    def events(self) -> list[Event]:
        return list(read(self.path))

    def answers(self) -> int:
        """How many answers are on disk."""
        return self.path.read_bytes().count(b'"event": "told"')

    def wait_for_answers(self, count: int) -> None:
        """Until so many more answers are on disk."""
        before = self.answers()
        wait_until(f"{count} more answers", lambda: self._goes_on() and self.answers() >= before + count)

    def _goes_on(self) -> bool:
        assert self.process.poll() is None, f"the recorder ended with {self.process.returncode}"
        return True

    def end(self) -> int:
        """Lets every client have its last answer; 0 if each had it."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(END_SECONDS)


def callers(platform: Platform) -> list[Caller]:
    """64 clients of merchants of each kind: ordinary ones, a slow bank's, a refusing bank's, one with a small limit."""
    merchants = [
        *(platform.api.merchant(limit=LIMIT) for _ in range(ORDINARY)),
        platform.api.merchant(limit=LIMIT, account="IRTESTSLOW0000000001"),
        platform.api.merchant(limit=LIMIT, account="IRTESTREFUSED0000001"),
        platform.api.merchant(limit=SMALL_LIMIT),
    ]
    return [_caller(merchants[number % len(merchants)], number) for number in range(CLIENTS)]


def _caller(merchant: Merchant, number: int) -> Caller:
    token = merchant.token["Authorization"].removeprefix("Bearer ")
    is_impatient = BULK_CLIENTS <= number < BULK_CLIENTS + IMPATIENT_CLIENTS
    return Caller(merchant.number, token, is_bulk=number < BULK_CLIENTS, is_patient=not is_impatient)


@contextlib.contextmanager
def recording(platform: Platform, directory: Path, seed: int) -> Iterator[Recording]:
    """The clients are at work."""
    orders, history = directory / "orders.json", directory / "history.jsonl"
    address = ["127.0.0.1", platform.stack.ports.core]
    chosen = [vars(each) for each in callers(platform)]
    orders.write_text(json.dumps({"address": address, "seed": seed, "callers": chosen}))
    history.touch()
    command = [sys.executable, "-m", "chaos.recorder", str(orders), str(history)]
    process = subprocess.Popen(command, cwd=paths.REPOSITORY / "tests")
    try:
        yield Recording(process, history)
    finally:
        process.kill()
        process.wait()


def kill_everything(platform: Platform) -> None:
    """SIGKILL to the server and its worker, as when a container is killed; the cluster starts another one."""
    platform.stack.kill9("core")
    platform.stack.restart("core")


def kill_the_worker(platform: Platform) -> None:
    """SIGKILL to the process that serves; the server, which holds the socket, starts another one."""
    server = psutil.Process(platform.stack.process("core").pid)
    killed = serving(server)
    assert killed, "no process serves"
    for worker in killed:
        worker.kill()
    wait_until("another one serves", lambda: set(serving(server)) - set(killed))
    platform.come_back("core")


def serving(server: psutil.Process) -> Sequence[psutil.Process]:
    """The living processes that the server has started to serve."""
    return [each for each in server.children() if each.status() != psutil.STATUS_ZOMBIE and _serves(each)]


def _serves(process: psutil.Process) -> bool:
    # multiprocessing keeps a process that only counts its semaphores
    return "resource_tracker" not in " ".join(process.cmdline())


def kill_again_and_again(platform: Platform, recording: Recording, chance: random.Random, kills: int) -> None:
    """Each time at a random moment of a core that serves; every other time only the process that serves."""
    for number in range(kills):
        recording.wait_for_answers(CLIENTS)
        time.sleep(chance.uniform(*SERVES_SECONDS))
        (kill_the_worker if number % 2 else kill_everything)(platform)
    recording.wait_for_answers(CLIENTS)


def wait_none_pending(platform: Platform) -> None:
    """The dispatcher has ended all that was left to it."""
    books.make_due(platform.stack)
    statement = "SELECT count(*) FROM payments_withdrawal WHERE state = 'pending'"

    def none_left() -> bool:
        return books.query(platform.stack.dsn("etebar_audit"), statement) == [(0,)]

    wait_until("no withdrawal is pending", none_left)
