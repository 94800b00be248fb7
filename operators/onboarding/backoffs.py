"""The waits between tries of one request to the API server, without end."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 15.0


@dataclass(frozen=True, slots=True)
class Endless:
    """Doubles from the first to the longest, then goes on with that.

    kopf ends the whole process when the last of its waits is over. A namespace that was deleted, or whose Role was, is
    answered 403 for ever, and is no reason to leave everybody else's objects alone: its own watches alone wait here,
    and go on when they are let in again.
    """

    first_seconds: float = FIRST_SECONDS
    longest_seconds: float = LONGEST_SECONDS

    def __iter__(self) -> Iterator[float]:
        return (min(self.first_seconds * 2.0 ** min(tries, 10), self.longest_seconds) for tries in itertools.count())
