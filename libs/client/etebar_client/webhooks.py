"""Events that Etebar sends (Standard Webhooks): believed when their signature is right."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import standardwebhooks


class NotSigned(ValueError):  # noqa: N818 - a fact
    """It is not from Etebar, was changed, or is too old."""


@dataclass(frozen=True, slots=True)
class Event:
    """`id` is the same each time it is sent: remember it, and ignore what was seen."""

    id: str
    type: str
    happened_at: datetime
    data: Mapping[str, Any]


def verify(body: bytes | str, headers: Mapping[str, str], secrets: Iterable[str]) -> Event:
    """The event of a request; `secrets` are those of `webhook_secrets`. Raises NotSigned."""
    own = {name.lower(): value for name, value in headers.items()}
    for secret in secrets:
        try:
            message = standardwebhooks.Webhook(secret).verify(body, own)
        # a stranger's headers and bytes may be anything
        except (standardwebhooks.WebhookVerificationError, ValueError):
            continue
        moment = datetime.fromisoformat(message["timestamp"])
        return Event(own["webhook-id"], message["type"], moment, message["data"])
    raise NotSigned("no secret has signed it")
