"""The keys of JSON Web Tokens: one signs, all of the ring verify (docs/adr/0028)."""

import hashlib
import hmac
import time
from collections.abc import Iterable
from typing import Any

import jwt
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendExpiredToken

ALGORITHM = "HS256"
KEY_ID_DIGITS = 16
# Pods' clocks differ: a token that one of them has just made is not from the future for another.
LEEWAY_SECONDS = 60


def key_id(key: str) -> str:
    """The `kid` (RFC 7515, section 4.1.4) of a key: made from it, so that no setting has to name it; tells nothing."""
    return hmac.new(key.encode(), b"etebar kid", hashlib.sha256).hexdigest()[:KEY_ID_DIGITS]


class KeyRing(TokenBackend):
    """Signs with one key, naming it; verifies with the key that a token names.

    Tokens that name none were made before there was a ring, and are the signing key's.
    """

    def __init__(self, signing_key: str, others: Iterable[str] = ()) -> None:
        super().__init__(ALGORITHM, signing_key, leeway=LEEWAY_SECONDS)
        self._key_id = key_id(signing_key)
        self._ring = {key_id(key): self._prepare_key(key) for key in (signing_key, *others)}

    def get_verifying_key(self, token: Any) -> Any:
        """Raises jwt.InvalidTokenError for a key that is not in the ring."""
        named = jwt.get_unverified_header(token).get("kid", self._key_id)
        if named not in self._ring:
            raise jwt.InvalidTokenError(f"the key {named} is not one of ours")
        return self._ring[named]

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 - the signature of TokenBackend
        """Raises TokenBackendError, and for one that is over TokenBackendExpiredToken: the leeway prolongs none."""
        claims: dict[str, Any] = super().decode(token, verify=verify)
        if verify and claims.get("exp", 0) <= time.time():
            raise TokenBackendExpiredToken("Token is expired")
        return claims

    def encode(self, payload: dict[str, Any]) -> str:
        return jwt.encode(payload, self.prepared_signing_key, algorithm=ALGORITHM, headers={"kid": self._key_id})
