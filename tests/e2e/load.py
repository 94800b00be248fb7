"""Steady withdrawals through the ingress while the cluster is changed, and what its clients were told."""

import contextlib
import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chaos.recording import Recording, caller_of, record
from integration.api import Api
from integration.waiting import wait_until

from etebar_verify import judge, ledger
from etebar_verify.books import Books, read_merchants
from etebar_verify.history import Broken, Event, Told

from .cluster import ADDRESS, Cluster

CLIENTS, BULK_CLIENTS, MERCHANTS = 12, 2, 4
LIMIT = "10000000.00"
POOL = "50000000.00"

# core tells 503 of what its database has not committed within 3 s; so long a pause here is a part of such a one there
STALLED_SECONDS = 1.5

_seeds = itertools.count(1)


class Disk:
    """A small write, again and again, to the disk that the cluster's database writes to, and the longest that one took.

    It tells a machine that stands still, which no rollout can help, from a platform that does.
    """

    PAUSE_SECONDS = 0.05

    def __init__(self, path: Path) -> None:
        self.slowest_seconds = 0.0
        self._path = path
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        with self._path.open("wb") as file:
            while not self._ended.is_set():
                begun = time.monotonic()
                os.pwrite(file.fileno(), bytes(8192), 0)
                os.fdatasync(file.fileno())
                # a thread that is woken late has seen a machine without a processor to spare
                self._ended.wait(self.PAUSE_SECONDS)
                self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - begun - self.PAUSE_SECONDS)


@dataclass
class Load:
    """Clients that withdraw, and after the `with` the events that they wrote down."""

    recording: Recording
    merchants: Sequence[int]
    disk: Disk
    events: list[Event] = field(default_factory=list)
    recorder_code: int | None = None
    begun: float = field(default_factory=time.monotonic)

    def go_on(self, answers: int = 40) -> None:
        """Until so many more answers have come: the platform serves now."""
        self.recording.wait_for_answers(answers)

    @property
    def server_errors(self) -> Counter[tuple[int, str | None]]:
        """Answers 5xx, by status and code."""
        told = [each for each in self.events if isinstance(each, Told)]
        return Counter((each.status, each.code) for each in told if each.status >= 500)

    @property
    def faults(self) -> Counter[tuple[int, str | None]]:
        """The same without what the machine is to blame for: a database whose disk stood still is told as it is."""
        errors = self.server_errors
        if self.disk.slowest_seconds > STALLED_SECONDS:
            del errors[503, "database_unavailable"]
        return errors

    @property
    def summary(self) -> str:
        told = Counter((each.status, each.code) for each in self.events if isinstance(each, Told))
        broken = Counter(each.error for each in self.events if isinstance(each, Broken))
        return (
            f"told {dict(told)}, without an answer {dict(broken)};"
            f" the slowest write to the disk took {self.disk.slowest_seconds:.2f} s"
        )


@contextlib.contextmanager
def steady_load(api: Api, directory: Path) -> Iterator[Load]:
    """Single withdrawals and bulks of a few merchants; whoever gets no answer asks again with the same key."""
    api.must("POST", "/admin/pool/topup", {"amount": POOL}, api.admin)
    merchants = [api.merchant(limit=LIMIT) for _ in range(MERCHANTS)]
    callers = [caller_of(merchants[n % MERCHANTS], is_bulk=n < BULK_CLIENTS) for n in range(CLIENTS)]
    with (
        contextlib.closing(Disk(directory / "disk")) as disk,
        record(ADDRESS, callers, directory, next(_seeds)) as recording,
    ):
        load = Load(recording, [each.number for each in merchants], disk)
        load.go_on()
        yield load
        load.go_on()
        load.recorder_code = recording.end()
        load.events = recording.events()
        print(load.summary)  # noqa: T201 - read by whoever runs these for minutes


def read_books(cluster: Cluster, load: Load) -> Books:
    """What both databases have of the load's merchants, once none of their withdrawals is pending."""
    of_these = f"merchant_id IN ({', '.join(map(str, load.merchants))})"
    pending = f"SELECT count(*) FROM payments_withdrawal WHERE state = 'pending' AND {of_these}"
    wait_until("no withdrawal is pending", lambda: cluster.sql("walletdb", pending) == [[0]], 120)
    with cluster.audited() as auditor:
        return read_merchants(*auditor, load.merchants, time.monotonic() - load.begun)


def assert_true(cluster: Cluster, load: Load) -> None:
    """Every client had its last answer, what they were told is what both databases say, and the books agree."""
    assert load.recorder_code == 0, load.summary
    books = read_books(cluster, load)
    assert [*judge.lies(load.events, books), *ledger.lies_of_merchants(books)] == [], load.summary
    cluster.assert_books_agree()
