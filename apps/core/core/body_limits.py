"""How large a request's body may be."""

from core.environment import ENVIRONMENT

BULK_PATH = "/api/v1/withdrawals/bulk"
STATEMENTS_PATH = "/api/v1/admin/bank-statements"
_LARGER = {
    BULK_PATH: ENVIRONMENT.bulk_body_limit_bytes,
    STATEMENTS_PATH: ENVIRONMENT.bank_statement_limit_bytes,
}
LARGEST_BODY_BYTES = max(ENVIRONMENT.request_body_limit_bytes, *_LARGER.values())


def body_limit_bytes(path: str) -> int:
    """The limit for requests to a path."""
    return _LARGER.get(path, ENVIRONMENT.request_body_limit_bytes)


def most_read_bytes(path: str) -> int:
    """How much of a body is read before it is known who sends it; of one that is refused, too, so that it is told."""
    return max(body_limit_bytes(path), ENVIRONMENT.request_body_limit_bytes, ENVIRONMENT.bulk_body_limit_bytes)
