"""What clients asked and were told, as the recorder wrote it: one JSON object a line, in the order of events."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sent:
    """A key, the first time that it is sent; a patient client repeats it until it is told what became of it."""

    key: str
    merchant: int
    amount: str
    is_patient: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """One answer to one key; `id`, `amount` and `state` are of the withdrawal in the answer, if it shows one."""

    key: str
    status: int
    code: str | None = None
    id: str | None = None
    amount: str | None = None
    state: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether whoever was told so has no reason to ask again."""
        return self.code != "request_in_progress" and (200 <= self.status < 300 or self.status == 409)


@dataclass(frozen=True, slots=True)
class Broken:
    """A request without an answer: refused, reset, cut short or too late."""

    keys: Sequence[str]
    error: str


Event = Sent | Told | Broken
_KINDS: dict[str, type[Event]] = {kind.__name__.lower(): kind for kind in (Sent, Told, Broken)}


def line(event: Event, at: float) -> str:
    """The line that tells an event."""
    return json.dumps({"at": round(at, 4), "event": type(event).__name__.lower(), **asdict(event)}) + "\n"


def read(path: Path) -> Iterator[Event]:
    """The events; a last line that is not whole yet is left out."""
    for text in path.read_text().splitlines(keepends=True):
        if text.endswith("\n"):
            members = json.loads(text)
            del members["at"]
            yield _KINDS[members.pop("event")](**members)
