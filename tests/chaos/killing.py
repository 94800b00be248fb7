"""The recorder beside a platform, and core's processes killed while it is at work."""

import contextlib
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
from integration import books
from integration.api import Merchant
from integration.platform import Platform
from integration.waiting import wait_until

from .orders import Caller
from .recording import Recording, caller_of, record

CLIENTS, BULK_CLIENTS, IMPATIENT_CLIENTS = 64, 6, 6
ORDINARY, LIMIT, SMALL_LIMIT = 8, "50000.00", "3.00"
# how long core serves between two kills
SERVES_SECONDS = (0.2, 1.2)


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
    is_impatient = BULK_CLIENTS <= number < BULK_CLIENTS + IMPATIENT_CLIENTS
    return caller_of(merchant, is_bulk=number < BULK_CLIENTS, is_patient=not is_impatient)


@contextlib.contextmanager
def recording(platform: Platform, directory: Path, seed: int) -> Iterator[Recording]:
    """The clients are at work."""
    address = ("127.0.0.1", platform.stack.ports.core)
    with record(address, callers(platform), directory, seed) as recorded:
        yield recorded


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
