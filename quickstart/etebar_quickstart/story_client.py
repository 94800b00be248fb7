"""HTTP for the story: each call is printed with its answer, and fails the story when it is not what was said."""

import dataclasses
import json
from typing import Any

import httpx2

from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.printer import Printer

TIMEOUT_SECONDS = 15.0
SHOWN_HEADERS = ("Idempotency-Key", "X-Internal-Token")
HIDDEN_MEMBERS = {"password"}


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: httpx2.Headers
    body: dict[str, Any]
    raw: bytes

    def text(self, *names: str) -> str:
        """'201  id=...  status=settled': the status and the members that matter."""
        members = [f"{name}={self.body[name]}" for name in names if name in self.body]
        if "Idempotency-Replayed" in self.headers:
            members.append(f"Idempotency-Replayed: {self.headers['Idempotency-Replayed']}")
        return "  ".join([f"→ {self.status}", *members])


class StoryClient:
    """Counts the steps, sends, prints and checks."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._http = httpx2.Client(timeout=TIMEOUT_SECONDS, trust_env=False)
        self._step = 0
        self._title = ""

    def step(self, title: str) -> None:
        """Begins a step; failures from here on name it."""
        self._step += 1
        self._title = title
        self._printer.step(self._step, title)

    def send(
        self,
        method: str,
        url: str,
        body: dict[str, Any] | None = None,
        *,
        expect: int,
        show: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Sends a request; raises QuickstartError unless the answer's status is `expect`."""
        try:
            response = self._http.request(method, url, json=body, headers=headers)
        except httpx2.TransportError as error:
            raise self.failed(f"{method} {url} was not answered: {error}") from error
        answer = Answer(response.status_code, response.headers, _members(response), response.content)
        problem = ("code", "detail") if answer.status >= 400 else ()  # noqa: PLR2004
        self._printer.exchange(_request_line(method, url, body, headers or {}), answer.text(*show, *problem))
        if answer.status != expect:
            raise self.failed(f"{method} {url} answered {answer.status}, expected {expect}", response.text)
        return answer

    def check(self, sentence: str, *, holds: bool) -> None:
        """Ticks a sentence off; raises QuickstartError when it is not true."""
        if not holds:
            raise self.failed(f"this does not hold: {sentence}")
        self._printer.held(sentence)

    def failed(self, what: str, *details: str) -> QuickstartError:
        """The error that names the step and what did not hold."""
        return QuickstartError(f"step {self._step} ({self._title}): {what}", details)

    def close(self) -> None:
        self._http.close()


def _members(response: httpx2.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _request_line(method: str, url: str, body: dict[str, Any] | None, headers: dict[str, str]) -> str:
    shown = {name: "***" if name in HIDDEN_MEMBERS else value for name, value in (body or {}).items()}
    parts = [method, url, json.dumps(shown) if body is not None else ""]
    parts += [f"{name}: {value}" for name, value in headers.items() if name in SHOWN_HEADERS]
    return "  ".join(part for part in parts if part)
