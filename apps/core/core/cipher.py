"""What must not stand in clear in tables and backups: AES-256-GCM under a ring of keys (docs/adr/0030)."""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.environment import ENVIRONMENT

FORM = "v1"
NONCE_BYTES = 12
KEY_ID_DIGITS = 8
# what the first purpose was; ids of keys are told by it whatever is encrypted
IDS = b"etebar account number"


class Unreadable(Exception):  # noqa: N818 - a fact
    """What is stored cannot be decrypted; the message names the key that is missing, never what was encrypted."""


class KeyUnknown(Unreadable):
    """It was encrypted with a key that is not in the ring."""


class Changed(Unreadable):
    """It is no longer what was encrypted, or never was."""


class Cipher:
    """Encrypts with one key, decrypts with all; what is stored is `v1:<id of the key>:<nonce and ciphertext>`.

    `purpose` says what it is (such as `account number`): no ciphertext of one purpose can be taken for another's.
    """

    def __init__(self, key: str, others: Iterable[str] = (), *, purpose: str) -> None:
        self._purpose = purpose
        self._bound = b"etebar " + purpose.encode()
        self._current = _key_id(key)
        self._ring = {_key_id(each): AESGCM(_derived(each, self._bound + b" key")) for each in (key, *others)}

    def encrypt(self, text: str) -> str:
        """A new form each time, so that equal texts cannot be told by what is stored."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ring[self._current].encrypt(nonce, text.encode(), self._bound)
        return f"{FORM}:{self._current}:{urlsafe_b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str) -> str:
        """The text; raises KeyUnknown and Changed."""
        _, named, text = stored.split(":", 2)
        if named not in self._ring:
            raise KeyUnknown(f"{self._purpose}: encrypted with the key {named}: add it to the previous ones")
        try:
            sealed = urlsafe_b64decode(text)
            return self._ring[named].decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound).decode()
        except (InvalidTag, ValueError) as error:
            raise Changed(f"{self._purpose}: what was encrypted was changed since it was written") from error

    def is_current(self, stored: str) -> bool:
        """Whether it is encrypted with the key that encrypts now."""
        return stored.startswith(f"{FORM}:{self._current}:")


def cipher_for(purpose: str) -> Cipher:
    """The one of the settings."""
    others = (key.get_secret_value() for key in ENVIRONMENT.account_encryption_keys_previous)
    return Cipher(ENVIRONMENT.account_encryption_key.get_secret_value(), others, purpose=purpose)


def _derived(key: str, bound: bytes) -> bytes:
    return hmac.new(key.encode(), bound, hashlib.sha256).digest()


def _key_id(key: str) -> str:
    return _derived(key, IDS + b" id").hex()[:KEY_ID_DIGITS]
