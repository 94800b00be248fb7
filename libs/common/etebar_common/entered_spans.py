"""Spans as context managers: current while they are entered, ended with what ended them."""

from types import TracebackType
from typing import Generic, Self, TypeVar

from opentelemetry import context
from opentelemetry.trace import Span, StatusCode, set_span_in_context

FIRST_SERVER_ERROR = 500
S = TypeVar("S", bound=Span)


class Entered(Generic[S]):
    """Makes a span the current one; at the end it is ended, with the kind of the error that ended it."""

    __slots__ = ("_ends", "_span", "_token")

    def __init__(self, span: S, *, ends: bool = True) -> None:
        self._span = span
        self._ends = ends

    def __enter__(self) -> S:
        self._token = context.attach(set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        context.detach(self._token)
        if self._ends:
            if error is not None:
                note_error(self._span, error)
            self._span.end()


class ServerSpan:
    """A request's span, current while it is entered."""

    __slots__ = ("_entered", "_method", "_span")

    def __init__(self, span: Span, method: str) -> None:
        self._span = span
        self._method = method
        self._entered = Entered(span)

    def __enter__(self) -> Self:
        self._entered.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered.__exit__(kind, error, trace)

    def answered(self, route: str, status: int, request_id: str, withdrawal_id: object = None) -> None:
        """Names the span by the route's template and tells how the request was answered."""
        if not self._span.is_recording():
            return
        self._span.update_name(f"{self._method} {route}")
        attributes: dict[str, str | int] = {
            "http.route": route,
            "http.response.status_code": status,
            "etebar.request_id": request_id,
        }
        if withdrawal_id is not None:
            attributes["etebar.withdrawal_id"] = str(withdrawal_id)
        self._span.set_attributes(attributes)
        if status >= FIRST_SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)


def note_error(span: Span, error: BaseException) -> None:
    """Its kind only: its message may hold what a caller sent or a row has."""
    if span.is_recording():
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR)
