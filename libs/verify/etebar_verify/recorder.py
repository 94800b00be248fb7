"""Clients that withdraw while the platform is broken and comes back, and a file of what each of them was told.

One loop and no library but Python's, so that nothing it knows comes from the services. SIGTERM, or the end of its time,
lets every client end what it has under way.
"""

import json
import math
import os
import random
import selectors
import signal
import time
from pathlib import Path
from typing import TextIO

from etebar_verify.errors import UnusableInputError
from etebar_verify.history import Broken, Event, Sent, Told, line
from etebar_verify.orders import Caller, Order
from etebar_verify.wire import Wire

ANSWER_SECONDS = 12.0
REPEAT_SECONDS = 0.1
SYNC_SECONDS = 0.05
LAST_ANSWERS_SECONDS = 40.0
# so many of those who were told the end ask once more with the same key
ASK_AGAIN_SHARE = 0.1


class Record:
    """Appends events to a file; what is older than SYNC_SECONDS is on disk."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._synced_at = time.monotonic()

    def add(self, event: Event) -> None:
        self._file.write(line(event, time.time()))

    def sync(self, *, now: bool = False) -> None:
        """To be called again and again."""
        if now or time.monotonic() - self._synced_at > SYNC_SECONDS:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._synced_at = time.monotonic()


class Client:
    """Sends an order until each of its keys has a final answer, then the next; `due` is when it acts by itself."""

    def __init__(self, caller: Caller, wire: Wire, record: Record, chance: random.Random) -> None:
        self.wire, self.due = wire, 0.0
        self._caller, self._record, self._chance = caller, record, chance
        self._order: Order | None = None
        self._is_replay = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing that it asked for is left without an answer."""
        return self._order is None

    def send(self) -> None:
        """Sends what is to be sent now: a new order, or the same once more."""
        if self._order is None:
            self._order = Order.new(self._caller, self._chance)
            for key, amount in self._order.amounts.items():
                self._record.add(Sent(key, self._caller.merchant, amount, self._caller.is_patient))
        self.due = time.monotonic() + ANSWER_SECONDS
        self.wire.send(self._order.request)

    def receive(self) -> bool:
        """Takes what came and writes down an answer that is whole; False while one is awaited."""
        answer = self.wire.receive()
        if answer is None or self._order is None:
            return False
        told = self._order.told(*answer)
        for each in told:
            self._record.add(each)
        self._go_on(told)
        return True

    def lose(self, error: OSError) -> None:
        """There will be no answer."""
        self.wire.close()
        self.due = time.monotonic() + REPEAT_SECONDS * self._chance.uniform(0.5, 1.5)
        if self._order is not None:
            self._record.add(Broken(tuple(self._order.amounts), f"{type(error).__name__}: {error}"))
            if not self._caller.is_patient:
                self._order = None

    def _go_on(self, told: list[Told]) -> None:
        if not all(each.is_final for each in told):
            self.due = time.monotonic() + REPEAT_SECONDS
            return
        self.due = 0.0
        self._is_replay = not self._is_replay and self._chance.random() < ASK_AGAIN_SHARE
        if not self._is_replay:
            self._order = None


class Recorder:
    """The loop over all clients."""

    def __init__(self, clients: list[Client], record: Record, seconds: float = math.inf) -> None:
        self._clients, self._record = clients, record
        self._selector = selectors.DefaultSelector()
        self._no_more_at = time.monotonic() + seconds
        signal.signal(signal.SIGTERM, self._end)

    def _end(self, _number: int, _frame: object) -> None:
        self._no_more_at = min(self._no_more_at, time.monotonic())

    def run(self) -> int:
        """How many clients were left without an answer when it ended."""
        while left := self._active():
            if time.monotonic() > self._no_more_at + LAST_ANSWERS_SECONDS:
                break
            self._send_what_is_due(left)
            for key, _ in self._selector.select(SYNC_SECONDS):
                self._receive(key.data)
            self._record.sync()
        self._record.sync(now=True)
        return len(left)

    def _active(self) -> list[Client]:
        if time.monotonic() < self._no_more_at:
            return self._clients
        return [each for each in self._clients if not each.is_idle]

    def _send_what_is_due(self, clients: list[Client]) -> None:
        now = time.monotonic()
        for client in clients:
            if client.due <= now:
                self._send(client)

    def _send(self, client: Client) -> None:
        try:
            if client.wire.socket is not None and client.wire.socket in self._selector.get_map():
                self._selector.unregister(client.wire.socket)
                raise TimeoutError("no answer in time")
            client.send()
            self._selector.register(client.wire.socket or 0, selectors.EVENT_READ, client)
        except OSError as error:
            client.lose(error)

    def _receive(self, client: Client) -> None:
        watched = client.wire.socket or 0
        try:
            if client.receive():
                self._selector.unregister(watched)
        except OSError as error:
            self._selector.unregister(watched)
            client.lose(error)


def record(orders: Path, history: Path, seconds: float = math.inf) -> int:
    """Lets the clients of a file withdraw; appends to `history`. Returns how many were left without an answer.

    `orders` is `{"address": [host, port], "seed": 1, "callers": [{"merchant": 1, "token": "..."}, ...]}`: a client for
    each caller. Raises UnusableInputError.
    """
    try:
        given = json.loads(orders.read_text())
        host, port = given["address"]
        chance = random.Random(given["seed"])  # noqa: S311 - a run that can be repeated
        callers = [Caller(**each) for each in given["callers"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UnusableInputError(f"{orders}: expected address, seed and callers ({error!r})") from error
    with history.open("a") as file:
        written = Record(file)
        clients = [Client(each, Wire((host, port)), written, chance) for each in callers]
        return Recorder(clients, written, seconds).run()
