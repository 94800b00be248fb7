"""Formats of our OpenAPI documents that a random text seldom has.

For schemathesis' own command line: SCHEMATHESIS_HOOKS=openapi_formats and this folder in PYTHONPATH.
"""

import base64
import uuid
from typing import Any

import schemathesis
from hypothesis import strategies
from schemathesis.specs.openapi.checks import positive_data_acceptance

from etebar_common.headers import parse_idempotency_key
from etebar_common.problems import IdempotencyKeyInvalid

# what a bank's statement must look like inside; which days follow which; which of two members is given
MORE_THAN_A_SCHEMA = ("statements", "/resolutions", "/admin/repayments", "/api-keys", "/webhooks", "/{endpoint_id}")
KEY = "Idempotency-Key"
DIGITS_AND_CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def excluded_for(path: str) -> list[Any]:
    """The checks that do not hold for requests to a path: some that fit the schema are refused."""
    return [positive_data_acceptance] if path.endswith(MORE_THAN_A_SCHEMA) else []


def renew_key(case: schemathesis.Case) -> None:
    """A new key for each case: the same key for another request is refused on purpose (test_idempotency_table.py).

    One that is no key stays: it has to be refused.
    """
    try:
        key = parse_idempotency_key(str(case.headers.get(KEY, "")))
    except IdempotencyKeyInvalid:
        return
    case.headers[KEY] = f"{key[:200]}-{uuid.uuid4()}"


def _cursor(withdrawal_id: object) -> str:
    place = f"2026-01-31T12:00:00+00:00|{withdrawal_id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


schemathesis.openapi.format(
    "bank-account", strategies.text(DIGITS_AND_CAPITALS, min_size=1, max_size=28).map(lambda tail: f"IRTEST{tail}")
)
schemathesis.openapi.format("payout-cursor", strategies.uuids().map(_cursor))
