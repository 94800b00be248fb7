"""What a call may end with but an answer."""

from collections.abc import Mapping
from typing import Any


class Refused(Exception):  # noqa: N818 - a fact
    """An answer that says no (RFC 9457): `status`, `code` (docs/errors.md), `detail` and all its members.

    From `withdraw`: nothing moved, or what was reserved was given back, and that stays so.
    """

    def __init__(self, status: int, members: Mapping[str, Any]) -> None:
        self.status = status
        self.members = members
        self.code = str(members.get("code", ""))
        self.detail = str(members.get("detail", members.get("title", "")))
        super().__init__(f"{status} {self.code}: {self.detail}")


class NoAnswer(Exception):  # noqa: N818 - a fact
    """Nothing that counts as an answer came in the time or the attempts that there were.

    From whatever changes something, `key` is its Idempotency-Key: to ask again with it is safe, and without it is not.
    """

    def __init__(self, reason: str, key: str | None) -> None:
        self.key = key
        super().__init__(f"{reason}; ask again with the key {key!r}" if key else reason)
