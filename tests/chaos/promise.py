"""What clients may be told while something is broken: what docs/failure-modes.md promises, to be held against a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etebar_verify.history import Broken, Event, Told

# of a platform that is well, whose merchants have limits, slow banks and banks that refuse; a client that was cut off
# may find its first request under way
ALWAYS = frozenset({"201", "202", "409 insufficient_credit", "409 payout_failed", "409 request_in_progress"})
AWAY = "503 database_unavailable"


@dataclass(frozen=True)
class Promise:
    """In words, and as what may be told beside ALWAYS; `may_be_silent`: a request may get no answer at all."""

    text: str
    told: frozenset[str] = frozenset()
    may_be_silent: bool = False

    def broken_by(self, events: Sequence[Event]) -> Iterator[str]:
        """A sentence for each kind of answer that is not promised."""
        allowed = ALWAYS | self.told
        for name in sorted({name_of(each) for each in events if isinstance(each, Told)} - allowed):
            yield f"clients were told {name}, and promised was: {self.text}"
        if not self.may_be_silent and any(isinstance(each, Broken) for each in events):
            yield f"clients were left without an answer, and promised was: {self.text}"


NOTHING = Promise("nothing")
UNKNOWN = Promise("202; the dispatcher asks until it is told")
UNAVAILABLE = Promise("503 with Retry-After, or a 202 that ends by itself", frozenset({AWAY}))


def name_of(told: Told) -> str:
    """An answer's status, and its code if it has one."""
    return f"{told.status} {told.code}" if told.code else str(told.status)
