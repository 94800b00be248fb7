"""One fault under load: clients at work, the fault, clients served again, and the proof that nothing went astray."""

import functools
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from integration.platform import Platform

from etebar_verify.history import Event
from etebar_verify.orders import Caller

from . import verdict
from .clients import callers
from .promise import Promise
from .recording import Recording, record
from .table import Row

CLIENTS = 32
# Clients are many and merchants few; a worker that was killed is followed by another one at once, not after seconds.
CORE = {"RATE_LIMIT_MERCHANT": "off", "GRANIAN_RESPAWN_INTERVAL": "0.1"}

# Breaks something and mends it; the moment from which recovery is counted, if not the end of it.
Strike = Callable[[Platform, Recording], float | None]


class CaughtError(AssertionError):
    """Something is not true: the fault, what clients were told, and each lie."""


@dataclass(frozen=True)
class Experiments:
    """Experiments on one platform with the same merchants; `history` is what was told in all of them."""

    platform: Platform
    directory: Path
    history: list[Event] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @functools.cached_property
    def callers(self) -> list[Caller]:
        return callers(self.platform.api, CLIENTS)

    def row(self, fault: str, promise: Promise, strike: Strike) -> Row:
        """Strikes under load; the row of what was observed. CaughtError when anything is not true, or not promised."""
        events, since = self._struck(strike)
        self.history.extend(events)
        verdict.wait_none_pending(self.platform.stack)
        found = verdict.of(self.history, self.platform.stack)
        seconds = time.monotonic() - since
        observed = verdict.what_was_told(events)
        lies = [*found.lies, *promise.broken_by(events)]
        if lies or not found.is_true:
            raise CaughtError(fault, observed, *lies)
        return Row(fault, promise.text, observed, verdict.answers(events), found.lost, found.double, seconds)

    def _struck(self, strike: Strike) -> tuple[list[Event], float]:
        number = next(self.numbers)
        place = self.directory / str(number)
        place.mkdir()
        address = ("127.0.0.1", self.platform.stack.ports.core)
        with record(address, self.callers, place, number) as recording:
            recording.wait_for_answers(2 * CLIENTS)
            since = strike(self.platform, recording)
            if since is None:
                since = time.monotonic()
            recording.wait_for_answers(CLIENTS)
            code = recording.end()
            events = recording.events()
            assert code == 0, ("clients were left without an answer", verdict.what_was_told(events))
        return events, since
