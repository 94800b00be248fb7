"""The OpenAPI documents show what values look like, and what they show is true."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from etebar_common.openapi_examples import needs_example, operations

FOLDER = Path(__file__).parents[2] / "docs" / "api"
DOCUMENTS = ("core", "core-internal", "settlement")

JsonObject = dict[str, Any]


def document(name: str) -> JsonObject:
    found: JsonObject = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def validator(whole: JsonObject, schema: JsonObject) -> Draft202012Validator:
    """Of a schema of the document, whose references lead into it."""
    return Draft202012Validator({**schema, "components": whole["components"]}, format_checker=FormatChecker())


def values(whole: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Every member of every object, and every parameter, with its name."""
    for name, schema in whole["components"]["schemas"].items():
        yield from ((f"{name}.{member}", told) for member, told in schema.get("properties", {}).items())
    for operation in operations(whole):
        yield from ((each["name"], each["schema"]) for each in operation.get("parameters", []))


def bodies(whole: JsonObject) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Every schema of a body, with the examples that stand beside it."""
    for operation in operations(whole):
        for response in (operation.get("requestBody", {}), *operation["responses"].values()):
            yield from ((media["schema"], media.get("examples", {})) for media in response.get("content", {}).values())
    for response in whole["components"].get("responses", {}).values():
        yield from ((media["schema"], media["examples"]) for media in response["content"].values())


@pytest.mark.parametrize("name", DOCUMENTS)
class TestDocuments:
    def test_show_an_example_of_each_value(self, name: str) -> None:
        without = {
            which
            for which, schema in values(document(name))
            if needs_example(schema) and not {"example", "examples"} & schema.keys()
        }
        assert without == set()

    def test_show_only_what_may_be(self, name: str) -> None:
        whole = document(name)
        for which, schema in values(whole):
            for example in schema.get("examples", []):
                errors = [error.message for error in validator(whole, schema).iter_errors(example)]
                assert errors == [], which

    def test_show_bodies_that_may_be(self, name: str) -> None:
        whole = document(name)
        shown = [(schema, each["value"]) for schema, examples in bodies(whole) for each in examples.values()]
        assert shown, "no body is shown"
        for schema, value in shown:
            errors = [error.message for error in validator(whole, schema).iter_errors(value)]
            assert errors == [], value
