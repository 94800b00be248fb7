"""What a process has one of, made when it is first asked for: threads and connections do not survive a fork."""

import os
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closable)


class PerProcess(Generic[T]):
    """Calling it gives this process's own; a forked child gets one of its own."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[int, T] = {}
        self._making = threading.Lock()

    def __call__(self) -> T:
        process_id = os.getpid()
        if process_id not in self._made:
            # the first requests come on many threads at once
            with self._making:
                if process_id not in self._made:
                    self._made[process_id] = self._make()
        return self._made[process_id]

    def close(self) -> None:
        """Closes this process's own, if it has one; the next call makes another."""
        made = self._made.pop(os.getpid(), None)
        if made is not None:
            made.close()
