"""kill -9 of core under load at moments that nobody chose: the server, or only the process that serves.

CHAOS_SEED repeats a run's random choices, as far as the machine lets them be repeated.
"""

import os
import random
import time
from collections.abc import Sequence

import psutil
from integration.platform import Platform
from integration.waiting import wait_until

from etebar_verify import judge
from etebar_verify.history import Told

from .conftest import Report
from .experiment import CLIENTS, Experiments
from .promise import AWAY, Promise
from .recording import Recording

KILLS = 10
# how long core serves between two kills
SERVES_SECONDS = (0.2, 1.2)


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


class TestCoreKilledTenTimes:
    def test_loses_nothing_and_pays_once(self, platform: Platform, experiments: Experiments, report: Report) -> None:
        seed = int(os.environ.get("CHAOS_SEED", time.time_ns() % 1_000_000))
        chance = random.Random(seed)  # noqa: S311 - may be repeated

        def strike(platform: Platform, recording: Recording) -> None:
            for number in range(KILLS):
                recording.wait_for_answers(CLIENTS)
                time.sleep(chance.uniform(*SERVES_SECONDS))
                (kill_the_worker if number % 2 else kill_everything)(platform)

        before = len(experiments.history)
        promise = Promise("no answer; the same key tells what became of it", frozenset({AWAY}), may_be_silent=True)
        row = experiments.row("core is killed (-9) at random moments, ten times", promise, strike)
        events = experiments.history[before:]
        # those that found nobody listening were sent later
        cut = [each for each in judge.broken(events) if "refused" not in each.error]
        assert len(cut) > KILLS * CLIENTS / 4, (seed, row)
        told = {(each.status, each.code) for each in events if isinstance(each, Told)}
        assert told >= {(201, None), (202, None), (409, "payout_failed"), (409, "insufficient_credit")}, (seed, row)
        report.add("faults", row)
