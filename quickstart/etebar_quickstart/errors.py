"""The one error of the quick start: a line for a person, and the log lines that explain it."""

from collections.abc import Sequence


class QuickstartError(Exception):
    """Something that the person at the keyboard must know; `str()` is one line, `details` are lines of a log."""

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.details = tuple(details)
