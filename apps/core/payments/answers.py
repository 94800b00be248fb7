"""An answer as it is stored and sent: the same bytes the first time and at each replay."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse

from core.problem_handler import render_body
from etebar_common.problems import MEDIA_TYPE, Problem

FIRST_ERROR_STATUS = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is JSON text; whether it is a problem is told by the status."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False

    def all_headers(self) -> dict[str, str]:
        """Its headers as they are sent."""
        content_type = MEDIA_TYPE if self.status >= FIRST_ERROR_STATUS else "application/json"
        replayed = {"Idempotency-Replayed": "true"} if self.replayed else {}
        return {"Content-Type": content_type, **self.headers, **replayed}

    def response(self) -> HttpResponse:
        """The HTTP answer."""
        return HttpResponse(self.body, status=self.status, headers=self.all_headers())


def json_text(body: Mapping[str, Any]) -> str:
    """Compact JSON."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def problem_answer(problem: Problem) -> Answer:
    """A problem as an answer."""
    return Answer(problem.status, render_body(problem), problem.headers)


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z") if moment else None
