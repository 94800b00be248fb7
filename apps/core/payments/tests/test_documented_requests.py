"""What the OpenAPI document shows of a request is taken as it is shown, by the operation that it is shown for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from payments.tests.factories import client_of, make_merchant, merchant_client

DOCUMENT = Path(__file__).parents[4] / "docs" / "api" / "core.json"
CHOICES = ("allOf", "anyOf", "oneOf")
# refused before or by the look at the body; any other answer came after it
NOT_TAKEN = {400, 403, 405, 415, 422}
# whose log-in and tokens are made up, so that 401 is what a body that was taken is answered with
OF_TOKENS = "/api/v1/auth/token"
PLACES = {"{withdrawal_id}": "0" * 8 + "-0000-7000-8000-" + "0" * 12, "{key_id}": "9f3a6c1e0b2d4f58"}

JsonObject = dict[str, Any]


def documented() -> JsonObject:
    found: JsonObject = json.loads(DOCUMENT.read_text())
    return found


def shown(whole: JsonObject, schema: JsonObject) -> Any:
    """A body as a page of documentation shows it: the schema's example, or those of its members side by side."""
    if "$ref" in schema:
        return shown(whole, whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    told = [schema[name] for name in ("example", "default", "const") if name in schema]
    if known := [*schema.get("examples", []), *told, *schema.get("enum", [])]:
        return known[0]
    if chosen := [each for name in CHOICES for each in schema.get(name, [])]:
        return shown(whole, chosen[0])
    if "properties" in schema:
        return {name: shown(whole, member) for name, member in schema["properties"].items()}
    return [shown(whole, schema["items"])] if "items" in schema else True


def requests() -> Iterator[tuple[str, str, JsonObject, Any]]:
    """Of each body that is shown: method, path, operation and the body."""
    whole = documented()
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                media = operation["requestBody"]["content"]["application/json"]
                written = [each["value"] for each in media.get("examples", {}).values()]
                for body in written or [shown(whole, media["schema"])]:
                    yield method, path, operation, body


def address(path: str) -> str:
    """The path with ids that nothing has."""
    for name, value in PLACES.items():
        path = path.replace(name, value)
    return "/".join(PLACES["{withdrawal_id}"] if part.startswith("{") else part for part in path.split("/"))


@pytest.mark.usefixtures("books")
class TestRequests:
    def answer(self, method: str, path: str, operation: JsonObject, body: Any) -> Any:
        is_staffs = "staff" in operation["tags"]
        client = client_of(User.objects.create_superuser("all")) if is_staffs else merchant_client(make_merchant())
        key = {"Idempotency-Key": "documented"}
        return getattr(client, method)(address(path), body, format="json", headers=key)

    @pytest.mark.parametrize(
        ("method", "path", "operation", "body"),
        [pytest.param(*each, id=each[2]["operationId"]) for each in requests()],
    )
    def test_are_taken_as_they_are_shown(self, method: str, path: str, operation: JsonObject, body: Any) -> None:
        answer = self.answer(method, path, operation, body)
        assert answer.status_code not in NOT_TAKEN, answer.content
        assert answer.status_code != 401 or path.startswith(OF_TOKENS)

    def test_are_refused_when_they_are_not_right(self) -> None:
        both = {"merchant_id": 2, "amount": "100.00", "reference": "transfer", "statement_line_id": 17}
        answer = self.answer("post", "/api/v1/admin/repayments", {"tags": ["staff"]}, both)
        assert answer.status_code in NOT_TAKEN

    def test_of_a_bank_statement_have_a_file_that_is_imported(self) -> None:
        [(method, path, operation, body)] = [each for each in requests() if each[1] == "/api/v1/admin/bank-statements"]
        imported = self.answer(method, path, operation, body)
        assert (imported.status_code, imported.json()["line_count"]) == (201, 2)
