"""Calls and answers without a network: what is asked, what is asked again, and when; the clients only send and wait."""

import json
import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from etebar_client.errors import NoAnswer, Refused

FIRST_ERROR = 400
UNAUTHORIZED, CONFLICT, TOO_MANY = 401, 409, 429
# "not known yet": it is asked again, with the same key
ASK_AGAIN = frozenset({408, TOO_MANY, 500, 502, 503, 504})
IN_PROGRESS = "request_in_progress"
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
LONGEST_RETRY_AFTER_SECONDS = 60.0

_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `key` is its Idempotency-Key. Every call may be sent again: it is a GET or has a key."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self) -> dict[str, str]:
        """Its own and its key's."""
        return {**self.headers, **({"Idempotency-Key": self.key} if self.key else {})}


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def members(self) -> dict[str, Any]:
        """The JSON object; empty for anything else, as a proxy's page."""
        try:
            found = json.loads(self.content)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Broken:
    """There was no answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """To be waited for."""

    seconds: float


T = TypeVar("T")
Steps = Generator[Call | Pause, Answer | Broken | None, T]


def answered(call: Call, attempts: int) -> Steps[Answer]:
    """Sends a call until its answer is final, at most `attempts` times; raises Refused and NoAnswer."""
    reason = "nothing was sent"
    for attempt in range(attempts):
        outcome = yield call
        if isinstance(outcome, Answer) and not _is_to_repeat(outcome):
            if outcome.status >= FIRST_ERROR:
                raise Refused(outcome.status, outcome.members())
            return outcome
        reason = _reason_of(outcome)
        if attempt + 1 < attempts:
            yield Pause(_pause_seconds(outcome, attempt))
    raise NoAnswer(f"{reason}, {attempts} times", call.key)


def _is_to_repeat(answer: Answer) -> bool:
    if answer.status == CONFLICT:
        return answer.members().get("code") == IN_PROGRESS
    return answer.status in ASK_AGAIN


def _reason_of(outcome: Answer | Broken | None) -> str:
    if isinstance(outcome, Answer):
        return f"{outcome.status} {outcome.members().get('code', '')}".strip()
    return outcome.reason if outcome else ""


def _pause_seconds(outcome: Answer | Broken | None, attempt: int) -> float:
    """What Retry-After says, or between half and all of a wait that doubles each time."""
    told = outcome.headers.get("retry-after", "") if isinstance(outcome, Answer) else ""
    if told.isascii() and told.isdecimal():
        return min(float(told), LONGEST_RETRY_AFTER_SECONDS)
    longest = min(FIRST_PAUSE_SECONDS * 2.0**attempt, LONGEST_PAUSE_SECONDS)
    return longest * _random.uniform(0.5, 1.0)
