"""Calls and answers without a network: what is asked, what is asked again and when, and what an answer proves."""

import json
import random
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from etebar_client.errors import NoAnswer, Refused

JSON, PROBLEM = "application/json", "application/problem+json"
REDIRECTION, FIRST_ERROR, FIRST_SERVER_ERROR = 300, 400, 500
UNAUTHORIZED, TIMED_OUT, CONFLICT, TOO_MANY = 401, 408, 409, 429
IN_PROGRESS = "request_in_progress"
# said of the request itself, or of what its key has come to: true whatever became of those before it
CERTAIN = frozenset({400, CONFLICT, 422})
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 10.0
LONGEST_RETRY_AFTER_SECONDS = 60.0
KEY = re.compile("[!-~]([ -~]{0,253}[!-~])?")

_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Call:
    """A request; `key` is its Idempotency-Key, `takes` the media type of its answer.

    Every call may be sent again: it is a GET or has a key. Raises ValueError for what is no key.
    """

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    takes: str = JSON

    def __post_init__(self) -> None:
        if self.key is not None and not KEY.fullmatch(self.key):
            raise ValueError(f"expected a key of 1 to 255 printable ASCII characters, not {self.key!r}")

    def all_headers(self) -> dict[str, str]:
        """Its own and its key's."""
        own = {**self.headers, "Accept": self.takes}
        return own if self.key is None else {**own, "Idempotency-Key": self.key}


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def of(cls, response: Any) -> Self:
        """Of a response of httpx2."""
        return cls(
            response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content
        )

    def is_of(self, media_type: str) -> bool:
        """Whether it says to be that."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == media_type

    def members(self) -> dict[str, Any]:
        """Its JSON object; raises ValueError for anything else, as a proxy's page."""
        found = json.loads(self.content)
        if not isinstance(found, dict):
            raise ValueError("expected a JSON object")
        return found

    def problem(self) -> dict[str, Any]:
        """The members of a problem (RFC 9457); none of what is no problem."""
        try:
            return self.members() if self.is_of(PROBLEM) else {}
        except ValueError:
            return {}

    def told(self) -> str:
        """What it says, for people."""
        where = f" to {self.headers['location']}" if "location" in self.headers else ""
        return f"{self.status} {self.problem().get('code', '')}".strip() + where


@dataclass(frozen=True, slots=True)
class Broken:
    """There was no answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """To be waited for."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Final:
    """The answer that is not asked for again; `may_be_done`: one of the attempts before it may have been heard."""

    answer: Answer
    may_be_done: bool


T = TypeVar("T")
Steps = Generator[Call | Pause, Answer | Broken | None, T]


def answered(call: Call, attempts: int) -> Steps[Final]:
    """Sends a call until its answer is final, at most `attempts` times; raises NoAnswer."""
    reason, may_be_done = "nothing was sent", False
    for attempt in range(attempts):
        outcome = yield call
        if isinstance(outcome, Answer) and not _is_to_repeat(outcome):
            return Final(outcome, may_be_done)
        reason = outcome.told() if isinstance(outcome, Answer) else outcome.reason if outcome else ""
        may_be_done |= not (isinstance(outcome, Answer) and outcome.status in (TIMED_OUT, TOO_MANY))
        if attempt + 1 < attempts:
            yield Pause(_pause_seconds(outcome, attempt))
    raise NoAnswer(f"{reason}, {attempts} times", call.key)


def judged(final: Final, call: Call, read: Callable[[Answer], T]) -> T:
    """What an answer says; raises Refused where it proves that nothing was done, else NoAnswer."""
    answer = final.answer
    if answer.status < REDIRECTION and answer.is_of(call.takes):
        try:
            return read(answer)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise NoAnswer(f"no Etebar's answer: {answer.told()}", call.key) from error
    if answer.status < FIRST_ERROR or not answer.is_of(PROBLEM):
        raise NoAnswer(f"no Etebar's answer: {answer.told()}", call.key)
    refused = Refused(answer.status, answer.problem())
    if call.key is not None and final.may_be_done and answer.status not in CERTAIN:
        raise NoAnswer(f"{refused}, and it may have been done before", call.key) from refused
    raise refused


def _is_to_repeat(answer: Answer) -> bool:
    if answer.status == CONFLICT:
        return answer.problem().get("code") == IN_PROGRESS
    return answer.status in (TIMED_OUT, TOO_MANY) or answer.status >= FIRST_SERVER_ERROR


def _pause_seconds(outcome: Answer | Broken | None, attempt: int) -> float:
    """What Retry-After says, or between half and all of a wait that doubles each time."""
    told = outcome.headers.get("retry-after", "") if isinstance(outcome, Answer) else ""
    if told.isascii() and told.isdecimal():
        return min(float(told), LONGEST_RETRY_AFTER_SECONDS)
    longest = min(FIRST_PAUSE_SECONDS * 2.0**attempt, LONGEST_PAUSE_SECONDS)
    return longest * _random.uniform(0.5, 1.0)
