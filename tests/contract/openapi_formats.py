"""Formats of our OpenAPI documents that a random text seldom has.

For schemathesis' own command line: SCHEMATHESIS_HOOKS=openapi_formats and this folder in PYTHONPATH.
"""

import base64

import schemathesis
from hypothesis import strategies

DIGITS_AND_CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _cursor(withdrawal_id: object) -> str:
    place = f"2026-01-31T12:00:00+00:00|{withdrawal_id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


schemathesis.openapi.format(
    "bank-account", strategies.text(DIGITS_AND_CAPITALS, min_size=1, max_size=28).map(lambda tail: f"IRTEST{tail}")
)
schemathesis.openapi.format("payout-cursor", strategies.uuids().map(_cursor))
