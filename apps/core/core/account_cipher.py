"""Account numbers at rest: AES-256-GCM under a ring of keys (docs/adr/0030)."""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from functools import cache, lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.environment import ENVIRONMENT

FORM = "v1"
NONCE_BYTES = 12
KEY_ID_DIGITS = 8
CACHED_NUMBERS = 50_000
# so that no other ciphertext under the same key can be taken for a number
PURPOSE = b"etebar account number"


class NumberUnreadable(Exception):  # noqa: N818 - a fact
    """What is stored cannot be decrypted; the message names the key that is missing, never a number."""


class KeyUnknown(NumberUnreadable):
    """It was encrypted with a key that is not in the ring."""


class NumberChanged(NumberUnreadable):
    """It is no longer what was encrypted, or never was."""


class Cipher:
    """Encrypts with one key, decrypts with all; what is stored is `v1:<id of the key>:<nonce and ciphertext>`."""

    def __init__(self, key: str, others: Iterable[str] = ()) -> None:
        self._current = _key_id(key)
        self._ring = {_key_id(each): AESGCM(_derived(each, b"key")) for each in (key, *others)}

    def encrypt(self, number: str) -> str:
        """A new form each time, so that equal numbers cannot be told by what is stored."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ring[self._current].encrypt(nonce, number.encode(), PURPOSE)
        return f"{FORM}:{self._current}:{urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str) -> str:
        """The number; raises KeyUnknown and NumberChanged."""
        _, named, text = stored.split(":", 2)
        if named not in self._ring:
            raise KeyUnknown(f"an account number is encrypted with the key {named}: add it to the previous ones")
        try:
            sealed = urlsafe_b64decode(text)
            return self._ring[named].decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], PURPOSE).decode()
        except (InvalidTag, ValueError) as error:
            raise NumberChanged("an encrypted account number was changed since it was written") from error

    def is_current(self, stored: str) -> bool:
        """Whether it is encrypted with the key that encrypts now."""
        return stored.startswith(f"{FORM}:{self._current}:")


@cache
def cipher() -> Cipher:
    """The one of the settings."""
    others = (key.get_secret_value() for key in ENVIRONMENT.account_encryption_keys_previous)
    return Cipher(ENVIRONMENT.account_encryption_key.get_secret_value(), others)


def number_of(stored: str) -> str:
    """The number of what is stored, encrypted or as the version before has it; raises NumberUnreadable."""
    return _decrypted(stored) if stored.startswith(f"{FORM}:") else stored


# an account never changes, and each withdrawal of a merchant asks for it
@lru_cache(maxsize=CACHED_NUMBERS)
def _decrypted(stored: str) -> str:
    return cipher().decrypt(stored)


def _derived(key: str, purpose: bytes) -> bytes:
    return hmac.new(key.encode(), PURPOSE + b" " + purpose, hashlib.sha256).digest()


def _key_id(key: str) -> str:
    return _derived(key, b"id").hex()[:KEY_ID_DIGITS]
