"""Settlement does what its committed OpenAPI document says, whatever is sent: schemathesis against a real process."""

import json
from pathlib import Path

import openapi_formats  # noqa: F401 - registers them
import schemathesis
from hypothesis import HealthCheck, settings

from core.environment import ENVIRONMENT
from etebar_quickstart.process import ManagedProcess

DOCUMENT = Path(__file__).parents[2] / "docs" / "api" / "settlement.json"

schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text()))


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_documented(case: schemathesis.Case, settlement: ManagedProcess) -> None:
    token = ENVIRONMENT.internal_token.get_secret_value()
    case.call_and_validate(base_url=ENVIRONMENT.settlement_url, headers={"X-Internal-Token": token})
