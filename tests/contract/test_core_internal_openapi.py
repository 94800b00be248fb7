"""Core's internal API does what its committed OpenAPI document says, whatever is sent."""

import json
from pathlib import Path
from typing import Any

import openapi_formats  # noqa: F401 - registers them
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from payments.tests.factories import fund_pool
from payments.tests.operator import TOKEN, accept

DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "core-internal.json"

schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text()))
schema.app = get_wsgi_application()


@pytest.fixture
def _internal(books: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The internal addresses are served, and the operator's token is accepted."""
    settings.ROOT_URLCONF = "core.internal_urls"
    accept(monkeypatch, TOKEN)
    fund_pool()


@pytest.mark.usefixtures("_internal")
@schema.parametrize()
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_documented(case: schemathesis.Case) -> None:
    # a null that is right for a merchant that is there is refused for one that is to be registered: no schema says that
    headers = {"Authorization": f"Bearer {TOKEN}"}
    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
