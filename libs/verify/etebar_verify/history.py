"""What clients asked and were told, as the recorder wrote it: one JSON object a line, in the order of events."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

from etebar_verify.errors import UnusableInputError


@dataclass(frozen=True, slots=True)
class Sent:
    """A key, the first time that it is sent; a patient client repeats it until it is told what became of it."""

    key: str
    merchant: int
    amount: str
    is_patient: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """One answer to one key; `id`, `amount` and `state` are of the withdrawal in the answer, if it shows one.

    `says_when`: whether a 429 or 503 says when to ask again; None for other answers.
    """

    key: str
    status: int
    code: str | None = None
    id: str | None = None
    amount: str | None = None
    state: str | None = None
    says_when: bool | None = None

    @property
    def is_final(self) -> bool:
        """Whether whoever was told so has no reason to ask again."""
        is_success = HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        return self.code != "request_in_progress" and (is_success or self.status == HTTPStatus.CONFLICT)


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
    """The events; a last line that is not whole yet is left out. Raises UnusableInputError naming the line."""
    try:
        lines = path.read_text().splitlines(keepends=True)
    except OSError as error:
        raise UnusableInputError(f"{path}: {error.strerror}") from error
    for number, text in enumerate(lines, 1):
        if text.endswith("\n"):
            yield _event(text, f"{path}, line {number}")


def _event(text: str, place: str) -> Event:
    try:
        members = json.loads(text)
        del members["at"]
        return _KINDS[members.pop("event")](**members)
    except (ValueError, TypeError, KeyError) as error:
        raise UnusableInputError(f"{place}: expected an event as etebar-verify records it") from error
