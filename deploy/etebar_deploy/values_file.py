"""values.yaml with its comments: the one source of the chart's schema and README."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from etebar_quickstart.errors import QuickstartError

SCHEMA_MARK = "@schema"


@dataclass(frozen=True, kw_only=True)
class Value:
    """A key: its path, the comment above it, what `@schema` adds, its default, and the keys below it."""

    path: tuple[str, ...]
    description: str
    extra: Mapping[str, Any]
    default: Any
    children: tuple["Value", ...] = ()

    @property
    def key(self) -> str:
        """As `helm --set` names it."""
        return ".".join(self.path)

    def leaves(self) -> Iterator["Value"]:
        """This one when nothing is below it, else those below."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def read_values(path: Path) -> tuple[Value, ...]:
    """The keys of a values.yaml. QuickstartError names a key without a comment, or with a wrong `@schema`."""
    text = path.read_text()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise QuickstartError(f"{path.name} holds no keys")
    return _children(root, (), text.splitlines())


def _children(node: yaml.MappingNode, above: tuple[str, ...], lines: Sequence[str]) -> tuple[Value, ...]:
    return tuple(_value(key, value, (*above, str(key.value)), lines) for key, value in node.value)


def _value(key: yaml.Node, node: yaml.Node, path: tuple[str, ...], lines: Sequence[str]) -> Value:
    description, extra = _comment(key, ".".join(path), lines)
    default = yaml.safe_load(yaml.serialize(node))
    children: tuple[Value, ...] = ()
    if isinstance(node, yaml.MappingNode) and "additionalProperties" not in extra:
        if node.flow_style:
            raise QuickstartError(
                f"{'.'.join(path)}: keys in braces have no comments; write a line each, "
                f"or `# {SCHEMA_MARK} {{additionalProperties: ...}}` when users may choose them"
            )
        children = _children(node, path, lines)
    return Value(path=path, description=description, extra=extra, default=default, children=children)


def _comment(key: yaml.Node, name: str, lines: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The comment's lines without a gap above the key, in its column."""
    mark = f"{' ' * key.start_mark.column}#"
    first = key.start_mark.line
    while first and lines[first - 1].startswith(mark):
        first -= 1
    comment = [line.removeprefix(mark).strip() for line in lines[first : key.start_mark.line]]
    description = " ".join(line for line in comment if not line.startswith(SCHEMA_MARK))
    if not description:
        raise QuickstartError(f"{name}: has no comment in values.yaml; say above it what it is for")
    extra: dict[str, Any] = {}
    for line in comment:
        if line.startswith(SCHEMA_MARK):
            extra |= _schema(line.removeprefix(SCHEMA_MARK), name)
    return description, extra


def _schema(text: str, name: str) -> dict[str, Any]:
    try:
        extra = yaml.safe_load(text)
    except yaml.YAMLError:
        extra = None
    if not isinstance(extra, dict):
        raise QuickstartError(f"{name}: `{SCHEMA_MARK}{text}` is no mapping; write `# {SCHEMA_MARK} {{minimum: 1}}`")
    return extra
