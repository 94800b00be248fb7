"""The network between core and settlement, which can be cut in one direction or both, or made slow."""

import contextlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from enum import StrEnum

HOST = "127.0.0.1"
CHUNK_BYTES = 1 << 16
LONGEST_DELAY_SECONDS = 4.0


class State(StrEnum):
    OPEN = "open"
    CUT = "nothing passes"
    REQUESTS_LOST = "what core sends is lost"
    ANSWERS_LOST = "what settlement answers is lost"
    SLOW = "answers are late, each by a time of its own"


LOSES_REQUESTS = {State.CUT, State.REQUESTS_LOST}
LOSES_ANSWERS = {State.CUT, State.ANSWERS_LOST}


class Link:
    """Forwards TCP connections to `target_port`; what is lost is lost without a word, as in a network."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._state = State.OPEN
        self._chance = random.Random(target_port)  # noqa: S311 - delays
        self._listening = socket.create_server((HOST, 0), backlog=128)
        self._sockets: set[socket.socket] = set()
        self.url = f"http://{HOST}:{self._listening.getsockname()[1]}"

    @contextlib.contextmanager
    def serving(self) -> Iterator["Link"]:
        """It is there."""
        thread = threading.Thread(target=self._accept, name="link")
        thread.start()
        try:
            yield self
        finally:
            # wakes accept(), which close() alone does not
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._reset()
            thread.join()

    @contextlib.contextmanager
    def being(self, state: State) -> Iterator[None]:
        """For a while; then all connections are reset, for those that have lost something cannot go on."""
        self._state = state
        try:
            yield
        finally:
            self._state = State.OPEN
            self._reset()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:  # closed: it ends
                return
            try:
                far = socket.create_connection((HOST, self._target_port))
            except OSError:  # settlement is away
                near.close()
                continue
            self._sockets |= {near, far}
            for source, sink, loses in ((near, far, LOSES_REQUESTS), (far, near, LOSES_ANSWERS)):
                pumped = threading.Thread(target=self._pump, args=(source, sink, loses), daemon=True)
                pumped.start()

    def _pump(self, source: socket.socket, sink: socket.socket, loses: set[State]) -> None:
        """Moves bytes one way until either side is gone, and then ends the other."""
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if self._state is State.SLOW and loses is LOSES_ANSWERS:
                    time.sleep(self._chance.uniform(0, LONGEST_DELAY_SECONDS))
                if self._state not in loses:
                    sink.sendall(data)
        self._end(source, sink)

    def _reset(self) -> None:
        self._end(*self._sockets)

    def _end(self, *ended: socket.socket) -> None:
        for each in ended:
            self._sockets.discard(each)
            # wakes who reads it; it may be gone already
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
