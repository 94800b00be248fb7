"""What the OpenAPI document shows of withdrawals."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from etebar_common.openapi_examples import EXAMPLES
from etebar_common.problems import InsufficientCredit

PENDING: dict[str, Any] = {
    "id": EXAMPLES["withdrawal_id"],
    "amount": "100.00",
    "state": "pending",
    "failure_code": None,
    "created_at": EXAMPLES["created_at"],
    "finalized_at": None,
}
PAID = {**PENDING, "state": "settled", "finalized_at": EXAMPLES["finalized_at"]}


def example(name: str, status: int, value: dict[str, Any]) -> OpenApiExample:
    """Of an answer with this status."""
    return OpenApiExample(name, value, response_only=True, status_codes=[str(status)])


WITHDRAW = [example("paid", 201, PAID), example("pending", 202, PENDING)]
BULK = [
    OpenApiExample(
        "two",
        {
            "withdrawals": [
                {"idempotency_key": "order-1001", "amount": "100.00"},
                {"idempotency_key": "order-1002", "amount": "7.50"},
            ]
        },
        request_only=True,
    ),
    example(
        "one paid, one refused",
        207,
        {
            "results": [
                {"idempotency_key": "order-1001", "status": 201, "replayed": False, "body": PAID},
                {
                    "idempotency_key": "order-1002",
                    "status": 409,
                    "replayed": False,
                    "body": InsufficientCredit().body(),
                },
            ],
            "summary": {"settled": 1, "pending": 0, "refused": 1, "unknown": 0},
        },
    ),
]
