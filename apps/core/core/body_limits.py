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


def most_read_bytes(path: str, *, by_staff: bool) -> int:
    """How much of a body is read, of one that is refused, too, so that it is told.

    What is larger than a bulk is held in memory for staff alone: whoever else sends it is refused by their token.
    """
    of_everybody = max(ENVIRONMENT.request_body_limit_bytes, ENVIRONMENT.bulk_body_limit_bytes)
    return max(body_limit_bytes(path), of_everybody) if by_staff else of_everybody
