"""Core's API by sequences of requests that follow each other's answers, with tokens; and the books hold after them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from openapi_formats import excluded_for, renew_key

from .api import Merchant
from .commands import shell
from .platform import Platform, databases

DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "core.json"
SEQUENCES, STEPS = 12, 8
BOUNDED = settings(
    max_examples=SEQUENCES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """Its own: requests by staff suspend and refuse whom they find."""
    with databases() as stack, Platform.started(stack) as started:
        yield started


def machine_of(platform: Platform, merchant: Merchant, answered: list[int]) -> Any:
    """A state machine over the document; each request has the token that its operation is for."""
    schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text()))
    tokens = {"merchant": merchant.token, "staff": platform.api.admin}

    class Api(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: schemathesis.Case) -> dict[str, Any]:
            tag = case.operation.definition.raw["tags"][0]
            renew_key(case)
            return {"headers": tokens[tag], "base_url": platform.stack.environments.core_url}

        def validate_response(self, response: Any, case: schemathesis.Case, *_: Any, **__: Any) -> None:
            case.validate_response(response, excluded_checks=excluded_for(case.path))

        def after_call(self, response: Any, case: schemathesis.Case) -> None:
            answered.append(response.status_code)

    return Api


def test_no_sequence_of_requests_breaks_the_document_or_the_books(platform: Platform) -> None:
    answered: list[int] = []
    run_state_machine_as_test(machine_of(platform, platform.api.merchant(), answered), settings=BOUNDED)
    assert len(answered) >= SEQUENCES
    assert [status for status in answered if status < 300]
    assert not [status for status in answered if status >= 500]
    books = shell(platform.stack, "python manage.py verify_books")
    assert books.returncode == 0, books.stdout + books.stderr
