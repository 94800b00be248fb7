"""Account numbers at rest (docs/adr/0030)."""

from functools import cache, lru_cache

from core.cipher import FORM, Cipher, cipher_for

CACHED_NUMBERS = 50_000


@cache
def cipher() -> Cipher:
    """The one of the settings."""
    return cipher_for("account number")


def number_of(stored: str) -> str:
    """The number of what is stored, encrypted or as the version before has it; raises cipher.Unreadable."""
    return _decrypted(stored) if stored.startswith(f"{FORM}:") else stored


# an account never changes, and each withdrawal of a merchant asks for it
@lru_cache(maxsize=CACHED_NUMBERS)
def _decrypted(stored: str) -> str:
    return cipher().decrypt(stored)
