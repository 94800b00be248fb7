"""values.yaml with its comments becomes a closed schema and tables."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from etebar_deploy.chart_readme import values_tables
from etebar_deploy.values_file import Value, read_values
from etebar_deploy.values_schema import values_schema
from etebar_quickstart import QuickstartError

VALUES = """\
# The head of the file, which describes no key.

# What it is
# for, in two lines.
# @schema {enum: [first, second]}
mode: first
# A part.
part:
  # How many.
  # @schema {minimum: 1}
  replicas: 2
  # How long.
  # @schema {exclusiveMinimum: 0, type: number}
  seconds: 3
  # Whether.
  enabled: true
  # Chosen by users | freely.
  # @schema {additionalProperties: {type: string}}
  labels: {a: "1"}
  # A list.
  # @schema {items: {type: integer}}
  ports: [443]
"""
PART = yaml.safe_load(VALUES)["part"]


def values(tmp_path: Path, text: str = VALUES) -> tuple[Value, ...]:
    path = tmp_path / "values.yaml"
    path.write_text(text)
    return read_values(path)


class TestSchema:
    @pytest.fixture
    def schema(self, tmp_path: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(values_schema(values(tmp_path)))
        Draft7Validator.check_schema(found)
        return found

    def test_a_comment_is_the_description(self, schema: dict[str, Any]) -> None:
        assert schema["properties"]["mode"]["description"] == "What it is for, in two lines."

    def test_types_come_from_defaults_and_from_what_is_added(self, schema: dict[str, Any]) -> None:
        part = schema["properties"]["part"]["properties"]
        assert {name: one["type"] for name, one in part.items()} == {
            "replicas": "integer",
            "seconds": "number",
            "enabled": "boolean",
            "labels": "object",
            "ports": "array",
        }
        assert schema["properties"]["mode"]["enum"] == ["first", "second"]

    def test_scalars_have_their_default(self, schema: dict[str, Any]) -> None:
        part = schema["properties"]["part"]["properties"]
        assert {name: one["default"] for name, one in part.items() if "default" in one} == {
            "replicas": 2,
            "seconds": 3,
            "enabled": True,
        }

    @pytest.mark.parametrize(("given", "holds"), [
        ({"global": {"any": 1}}, True),
        ({"part": {**PART, "replicas": 3, "labels": {"any": "key"}}}, True),
        ({"other": 1}, False),
        ({"part": {**PART, "other": 1}}, False),
        ({"part": {**PART, "labels": {"any": 1}}}, False),
        ({"part": {**PART, "replicas": 0}}, False),
        ({"part": {key: value for key, value in PART.items() if key != "replicas"}}, False),
        ({"mode": "third"}, False),
    ])  # fmt: skip
    def test_mappings_of_ours_are_closed(self, schema: dict[str, Any], given: dict[str, Any], *, holds: bool) -> None:
        assert Draft7Validator(schema).is_valid({"mode": "first", "part": PART, **given}) is holds


class TestTables:
    def test_a_row_has_key_type_default_and_meaning(self, tmp_path: Path) -> None:
        table = values_tables(values(tmp_path))
        assert "| `mode` | `first`, `second` | `first` | What it is for, in two lines. |" in table
        assert "| `part.replicas` | integer, ≥ 1 | `2` | How many. |" in table
        assert "| `part.seconds` | number, > 0 | `3` | How long. |" in table
        assert "| `part.enabled` | `true`, `false` | `true` | Whether. |" in table
        assert "### part\n\nA part.\n\n| key |" in table

    def test_a_bar_does_not_end_the_cell(self, tmp_path: Path) -> None:
        assert r'| `part.labels` | mapping | `{"a": "1"}` | Chosen by users \| freely. |' in values_tables(
            values(tmp_path)
        )


class TestErrors:
    @pytest.mark.parametrize(("text", "told"), [
        ("# Said.\na: 1\n\nb: 2\n", "b: has no comment in values.yaml"),
        ("# Said.\na:\n  b: 2\n", "a.b: has no comment"),
        ("# @schema {minimum: 1}\na: 1\n", "a: has no comment"),
        ("# Said.\n# @schema minimum\na: 1\n", "a: `@schema minimum` is no mapping"),
        ("# Said.\na: {b: 1}\n", "a: keys in braces have no comments"),
        ("# Said.\na: {}\n", "a: keys in braces have no comments"),
        ("[1]\n", "values.yaml holds no keys"),
    ])  # fmt: skip
    def test_they_name_the_key(self, tmp_path: Path, text: str, told: str) -> None:
        with pytest.raises(QuickstartError, match=f"^{told}"):
            values(tmp_path, text)
