"""What keeps an object from being as it is wished."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class CoreUnavailable(Exception):  # noqa: N818 - a fact
    """Whether core did it is not known: no answer, or none of ours. To be sent again."""


@dataclass
class CoreRefused(Exception):  # noqa: N818 - a fact
    """Core's definite no: a problem (RFC 9457) with its code."""

    status: int
    code: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        named = [f"{each['field']}: {each['detail']}" for each in self.members.get("errors", [])]
        return "; ".join(named) or self.detail


REASONS = {
    "merchant_closed": "MerchantClosed",
    "operator_token_wrong": "TokenRefused",
    "top_up_conflict": "Conflict",
    "username_taken": "UsernameTaken",
    "validation_failed": "Invalid",
}


def reason_of(error: CoreRefused) -> str:
    """A condition's reason for it."""
    return REASONS.get(error.code, "Refused")


class ClusterUnavailable(Exception):  # noqa: N818 - a fact
    """The API server did not do it; to be tried again."""


class SecretNotOwned(Exception):  # noqa: N818 - a fact
    """A Secret of this name is somebody else's."""
