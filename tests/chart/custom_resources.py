"""Our own objects by the definitions that the chart renders; rules in CEL are the API server's, and tried on kind."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from chart.rendered import rendered_with

GROUP = "etebar.dev"


def is_ours(one: dict[str, Any]) -> bool:
    return str(one["apiVersion"]).startswith(f"{GROUP}/")


def problems(one: dict[str, Any], values: dict[str, Any] | None = None) -> list[str]:
    """What the definition of its kind does not take, unknown fields too."""
    errors = Draft202012Validator(_schema(one["kind"], values or {})).iter_errors(one)
    return [f"{one['kind']}/{one['metadata']['name']}: {error.json_path}: {error.message}" for error in errors]


def _schema(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    for definition in rendered_with(values).of_kind("CustomResourceDefinition"):
        if definition["spec"]["names"]["kind"] == kind:
            schema: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
            return {**schema, "properties": dict(_closed(schema["properties"]))}
    raise AssertionError(f"the chart defines no {kind}")


def _closed(properties: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, schema in properties.items():
        inner = schema.get("properties")
        yield name, {**schema, "properties": dict(_closed(inner)), "additionalProperties": False} if inner else schema
