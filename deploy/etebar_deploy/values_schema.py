"""charts/etebar/values.schema.json, by which Helm refuses unknown keys and wrong values."""

import json
from collections.abc import Iterable
from typing import Any

from etebar_deploy.values_file import Value

TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def values_schema(values: Iterable[Value]) -> str:
    """The schema (draft 7, which Helm 3 and 4 read), with a closed mapping for each mapping of ours."""
    properties = {value.path[-1]: _property(value) for value in values}
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **_closed(properties)}
    # Helm puts it into every subchart, and a chart that has ours as a subchart may set it
    properties["global"] = {"type": "object", "description": "Helm's own: values of all charts of a release."}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _property(value: Value) -> dict[str, Any]:
    described = {"description": value.description}
    if value.children:
        return {**described, **_closed({child.path[-1]: _property(child) for child in value.children}), **value.extra}
    found: dict[str, Any] = {**described, "type": value_type(value)}
    if isinstance(value.default, str | int | float):
        found["default"] = value.default
    return {**found, **value.extra}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    """Helm looks at values with defaults filled in: what is missing then was set to null, or is newer than a release
    whose values are reused.
    """
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


def value_type(value: Value) -> str:
    """The type's name in JSON Schema, which the default has unless `@schema` says another."""
    return str(value.extra.get("type") or TYPES[type(value.default)])
