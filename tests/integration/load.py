"""Clients that withdraw at the same time, and one that never gives up on a key."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import httpx2

from .api import Merchant, new_key

RETRY_SECONDS = 0.1
THREADS = 64

T = TypeVar("T")


def all_at_once(act: Callable[[], T], times: int, threads: int = THREADS) -> list[T]:
    """The results of one act that threads, starting together, do `times` times."""
    barrier = threading.Barrier(min(threads, times))
    with ThreadPoolExecutor(barrier.parties, initializer=lambda: barrier.wait(30) and None) as pool:
        return list(pool.map(lambda _: act(), range(times)))


@dataclass
class PersistentClients:
    """Each withdraws again and again, and repeats a request with its key until it is accepted."""

    merchants: Sequence[Merchant]
    accepted: list[httpx2.Response] = field(default_factory=list)
    others: list[httpx2.Response] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)

    def run_while(self, act: Callable[[], None]) -> None:
        """The clients are at work while the act runs; each one's last request is ended."""
        with ThreadPoolExecutor(len(self.merchants)) as pool:
            clients = [pool.submit(self._work, merchant) for merchant in self.merchants]
            try:
                act()
            finally:
                self._ending.set()
        for client in clients:
            client.result()

    def _work(self, merchant: Merchant) -> None:
        while not self._ending.is_set():
            key = new_key()
            while (answer := merchant.withdraw("0.10", key)).status_code not in {201, 202}:
                self.others.append(answer)
                threading.Event().wait(RETRY_SECONDS)
            self.accepted.append(answer)
