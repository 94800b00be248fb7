"""Lists of withdrawals as core hands them to payments_reserve."""

import random
import secrets
import time
import uuid
from typing import Any

DIGEST = "0123456789abcdef01234567"


def uuid7() -> str:
    """A new UUIDv7: core's ids are, and where an index grows depends on it."""
    milliseconds = time.time_ns() // 1_000_000
    return str(
        uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62))
    )


def new_list(length: int, merchants: range) -> list[dict[str, Any]]:
    """Withdrawals of 1.00 of merchants picked at random, with keys of their own."""
    return [_item(ordinal, random.choice(merchants)) for ordinal in range(1, length + 1)]  # noqa: S311 - no secret


def _item(ordinal: int, merchant: int) -> dict[str, Any]:
    request_id = secrets.token_hex(16)
    return {
        "ordinal": ordinal,
        "withdrawal_id": uuid7(),
        "merchant_id": merchant,
        "amount": "1.00",
        "scope": f"user:{merchant}",
        "key": secrets.token_hex(12),
        "method": "POST",
        "path": "/api/v1/withdrawals",
        "request": {"amount": DIGEST, "method": DIGEST, "path": DIGEST},
        # nobody dispatches here
        "dispatch_after_seconds": 3600,
        "log_id": uuid7(),
        "request_id": request_id,
        "user_id": merchant,
        "remote_address": "127.0.0.1",
    }
