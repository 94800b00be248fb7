"""The table of values in charts/etebar/README.md."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from etebar_deploy.values_file import Value
from etebar_deploy.values_schema import value_type

HEAD = ("| key | type | default | meaning |", "| --- | --- | --- | --- |")
TYPES = {"string": "text", "array": "list", "object": "mapping", "boolean": "`true`, `false`"}
BOUNDS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}


def values_tables(values: Iterable[Value]) -> str:
    """A section per key of the top that has keys below it; those without are in the first table."""
    values = list(values)
    single = [value for value in values if not value.children]
    parts = ["### Of the whole release", "", *_table(single)]
    for value in values:
        if value.children:
            parts += ["", f"### {value.key}", "", value.description, "", *_table(value.children)]
    return "\n".join(parts)


def _table(values: Iterable[Value]) -> Iterator[str]:
    yield from HEAD
    for value in values:
        yield from _rows(value)


def _rows(value: Value) -> Iterator[str]:
    """A key with keys below it has a row for what its comment says."""
    if not value.children:
        yield _row(f"`{value.key}`", _type(value), _default(value.default), value.description)
        return
    yield _row(f"`{value.key}`", "", "", value.description)
    for child in value.children:
        yield from _rows(child)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


BAR = r"\|"


def _type(value: Value) -> str:
    extra = value.extra
    if "enum" in extra:
        return ", ".join(f"`{choice}`" for choice in extra["enum"])
    name = value_type(value)
    bounds = [f"{sign} {extra[word]:g}" for word, sign in BOUNDS.items() if word in extra]
    return ", ".join([TYPES.get(name, name), *bounds])


def _default(default: Any) -> str:
    if default in ("", [], {}):
        return "-"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"
