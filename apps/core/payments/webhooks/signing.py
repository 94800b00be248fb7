"""Signatures by the Standard Webhooks specification (standardwebhooks.com): HMAC-SHA256 of id, timestamp and body."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable
from functools import cache

from core.cipher import Cipher, cipher_for

PREFIX = "whsec_"
SECRET_BYTES = 32


@cache
def cipher() -> Cipher:
    """What secrets are encrypted with in the database."""
    return cipher_for("webhook secret")


def new_secret() -> str:
    """A secret as merchants are given it."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(event_id: str, timestamp: int, body: bytes, signed_with: Iterable[str]) -> dict[str, str]:
    """The headers of a message; `timestamp` is the attempt's (Unix seconds). One signature per secret."""
    content = f"{event_id}.{timestamp}.".encode() + body
    signatures = (
        "v1," + b64encode(hmac.new(b64decode(secret.removeprefix(PREFIX)), content, hashlib.sha256).digest()).decode()
        for secret in signed_with
    )
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }
