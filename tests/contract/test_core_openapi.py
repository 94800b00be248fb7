"""Core does what its committed OpenAPI document says, whatever is sent: schemathesis against the real application."""

import json
from pathlib import Path

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from openapi_formats import excluded_for, renew_key

from payments.tests.factories import TOKEN_LIFETIME, fund_pool, make_merchant, make_staff
from payments.tokens.authentication import access_token_for

DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "core.json"

schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text()))
schema.app = get_wsgi_application()


@pytest.fixture
def tokens(books: None) -> dict[str, str]:
    """A merchant's and a staff member's."""
    fund_pool("1000000.00")
    merchant = make_merchant(limit="500000.00")
    return {
        "merchant": str(access_token_for(merchant.user, merchant.pk, TOKEN_LIFETIME)),
        "staff": str(access_token_for(make_staff(), None, TOKEN_LIFETIME)),
    }


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_documented(case: schemathesis.Case, tokens: dict[str, str]) -> None:
    renew_key(case)
    tag = case.operation.definition.raw["tags"][0]
    headers = {"Authorization": f"Bearer {tokens[tag]}"}
    case.call_and_validate(headers=headers, excluded_checks=excluded_for(case.path))
