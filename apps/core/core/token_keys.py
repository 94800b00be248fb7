"""The keys of JSON Web Tokens: one signs, all of the ring verify (docs/adr/0028)."""

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import jwt
from rest_framework_simplejwt.backends import TokenBackend

ALGORITHM = "HS256"
KEY_ID_DIGITS = 16


def key_id(key: str) -> str:
    """The `kid` (RFC 7515, section 4.1.4) of a key: made from it, so that no setting has to name it; tells nothing."""
    return hmac.new(key.encode(), b"etebar kid", hashlib.sha256).hexdigest()[:KEY_ID_DIGITS]


class KeyRing(TokenBackend):
    """Signs with one key, naming it; verifies with the key that a token names.

    Tokens that name none were made before there was a ring, and are the signing key's.
    """

    def __init__(self, signing_key: str, others: Iterable[str] = ()) -> None:
        super().__init__(ALGORITHM, signing_key)
        self._key_id = key_id(signing_key)
        self._ring = {key_id(key): self._prepare_key(key) for key in (signing_key, *others)}

    def get_verifying_key(self, token: Any) -> Any:
        """Raises jwt.InvalidTokenError for a key that is not in the ring."""
        named = jwt.get_unverified_header(token).get("kid", self._key_id)
        if named not in self._ring:
            raise jwt.InvalidTokenError(f"the key {named} is not one of ours")
        return self._ring[named]

    def encode(self, payload: dict[str, Any]) -> str:
        return jwt.encode(payload, self.prepared_signing_key, algorithm=ALGORITHM, headers={"kid": self._key_id})
