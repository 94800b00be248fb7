"""How passwords are hashed: argon2id, few at a time (docs/adr/0027)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import Argon2PasswordHasher, PBKDF2PasswordHasher

from core.environment import ENVIRONMENT
from etebar_common.problems import LogInsBusy

RETRY_AFTER_SECONDS = 2
LONGEST_WAIT_SECONDS = 2.0
WAITING_PER_TURN = 4


class Gate:
    """Lets `at_once` callers in; as many as WAITING_PER_TURN for each of them may wait, the rest is refused at once.

    A burst of log-ins so takes neither the pod's memory nor all its CPU, nor every thread that other requests need.
    """

    def __init__(self, at_once: int) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once * (1 + WAITING_PER_TURN))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One hash is computed; raises LogInsBusy when there is no place to wait, or the wait is too long."""
        if not self._places.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turns.acquire(timeout=LONGEST_WAIT_SECONDS):
                raise _busy()
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()


def _busy() -> LogInsBusy:
    return LogInsBusy("many passwords are looked at just now", headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


gate = Gate(ENVIRONMENT.password_hashes_at_once)


class Argon2(Argon2PasswordHasher):
    """Argon2id with 19 MiB, 2 passes and 1 lane: OWASP's smallest recommended, some 30 ms of one CPU.

    Django's own 100 MiB and 8 lanes are for a machine of its own: 8 of them would end a pod of 768 MiB.
    """

    memory_cost = 19 * 1024
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with gate.turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with gate.turn():
            return super().verify(password, encoded)


class PBKDF2(PBKDF2PasswordHasher):
    """What passwords were hashed with before: verified still, and hashed anew at the log-in."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        # verify() encodes as well, and so waits here
        with gate.turn():
            return super().encode(password, salt, iterations)
