"""How large a request's body may be."""

from core.environment import ENVIRONMENT

BULK_PATH = "/api/v1/withdrawals/bulk"
LARGEST_BODY_BYTES = max(ENVIRONMENT.request_body_limit_bytes, ENVIRONMENT.bulk_body_limit_bytes)


def body_limit_bytes(path: str) -> int:
    """The limit for requests to a path."""
    return ENVIRONMENT.bulk_body_limit_bytes if path == BULK_PATH else ENVIRONMENT.request_body_limit_bytes
