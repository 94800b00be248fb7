import json
import subprocess
import sys

import pytest
from settlement_helpers import APP_DIRECTORY

from settlement.openapi import document

DOCUMENT = json.loads(document())
OPERATIONS = [
    (path, method, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


class TestTheDocument:
    def test_is_printed_without_a_database_or_secrets(self) -> None:
        printed = subprocess.run(
            [sys.executable, "-m", "settlement.openapi"],
            cwd=APP_DIRECTORY,
            env={},
            capture_output=True,
            text=True,
            check=True,
        )
        assert printed.stdout == document()

    def test_has_every_route_of_the_contract(self) -> None:
        assert {(method, path) for path, method, _ in OPERATIONS} == {
            ("post", "/api/settlement/withdraw"),
            ("post", "/api/settlement/withdraw/batch"),
            ("get", "/api/settlement/payouts/{withdrawal_id}"),
            ("get", "/api/settlement/payouts"),
            ("post", "/api/settlement/payouts/lookup"),
            ("post", "/api/settlement/payouts/{withdrawal_id}/outcome"),
            ("post", "/api/settlement/sandbox/clear"),
            ("get", "/healthz"),
            ("get", "/readyz"),
        }

    def test_is_sorted_and_indented(self) -> None:
        assert document() == json.dumps(DOCUMENT, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
    def test_tells_of_the_token_where_it_is_asked(self, path: str, method: str, operation: dict) -> None:
        asked = {"401", "403"} <= operation["responses"].keys()
        assert asked == (operation.get("security") == [{"InternalToken": []}]) == path.startswith("/api/")

    @pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
    def test_has_every_error_as_a_problem(self, path: str, method: str, operation: dict) -> None:
        errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert all(list(answer["content"]) == ["application/problem+json"] for answer in errors.values())

    def test_closes_every_object(self) -> None:
        objects = [schema for schema in DOCUMENT["components"]["schemas"].values() if schema.get("type") == "object"]
        assert objects
        assert all(schema["additionalProperties"] is False for schema in objects)

    @pytest.mark.parametrize("schema", ["WithdrawRequest", "BatchMember", "PayoutBody"])
    def test_has_amounts_as_strings_with_a_pattern(self, schema: str) -> None:
        amount = DOCUMENT["components"]["schemas"][schema]["properties"]["amount"]
        assert (amount["type"], amount["pattern"][:1]) == ("string", "^")
