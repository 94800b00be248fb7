"""The user of a request without a token: costs no import of auth's tables."""

from typing import ClassVar


class Anonymous:
    """Nobody."""

    is_authenticated: ClassVar[bool] = False
    is_anonymous: ClassVar[bool] = True
    pk: ClassVar[None] = None
