"""Core's internal API does what its committed OpenAPI document says, whatever is sent."""

import json
from pathlib import Path
from typing import Any

import openapi_formats  # noqa: F401 - registers them
import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, settings

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
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_documented(case: schemathesis.Case) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"})
