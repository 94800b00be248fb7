"""The rule files as data."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from etebar_observability.paths import RULES


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule; several may have one name, and then differ in their labels."""

    file: Path
    name: str
    expression: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def severity(self) -> str:
        """Page wakes somebody; ticket waits for the morning."""
        return self.labels["severity"]


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule."""

    name: str
    expression: str


def files() -> list[Path]:
    """All rule files."""
    return sorted(RULES.glob("*.yaml"))


def alerts() -> list[Alert]:
    """All alerting rules."""
    return [
        Alert(path, rule["alert"], rule["expr"], rule.get("labels", {}), rule.get("annotations", {}))
        for path, rule in _rules()
        if "alert" in rule
    ]


def recordings() -> list[Recording]:
    """All recording rules."""
    return [Recording(rule["record"], rule["expr"]) for _, rule in _rules() if "record" in rule]


def _rules() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in files():
        for group in _read(path)["groups"]:
            for rule in group["rules"]:
                yield path, rule


@cache
def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content
