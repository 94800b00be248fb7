"""The keyed fingerprint of a bank account, by which core and settlement compare accounts (invariant I5)."""

import hashlib
import hmac


def normalize_account(account: str) -> str:
    """The account number without spaces, in capitals: the form that is stored, sent and fingerprinted."""
    return "".join(account.split()).upper()


def account_fingerprint(account: str, key: bytes) -> str:
    """HMAC-SHA-256 of the normalized account number, 64 hexadecimal digits."""
    return hmac.new(key, normalize_account(account).encode(), hashlib.sha256).hexdigest()
