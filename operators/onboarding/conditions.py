"""Conditions as Kubernetes has them: a list of maps by type, with times that change only when the status does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"
LONGEST_MESSAGE = 1024


@dataclass(frozen=True, slots=True)
class Condition:
    """What is so, and why: `reason` is one CamelCase word, `message` a sentence for people."""

    type: str
    status: str
    reason: str
    message: str = ""


def is_so(kind: str, value: bool, reason: str, message: str = "") -> Condition:  # noqa: FBT001 - reads as a sentence
    """A condition that is true or false."""
    return Condition(kind, TRUE if value else FALSE, reason, message[:LONGEST_MESSAGE])


def merged(
    old: Sequence[Mapping[str, Any]], new: Iterable[Condition], generation: int, now: datetime
) -> list[dict[str, Any]]:
    """The list with the new conditions in it; those of other types stay as they are."""
    known = {each["type"]: dict(each) for each in old}
    for condition in new:
        known[condition.type] = _merge(known.get(condition.type), condition, generation, now)
    return list(known.values())


def _merge(old: Mapping[str, Any] | None, new: Condition, generation: int, now: datetime) -> dict[str, Any]:
    changed = old is None or old.get("status") != new.status
    since = rfc3339(now) if changed or old is None else old.get("lastTransitionTime", rfc3339(now))
    return {
        "type": new.type,
        "status": new.status,
        "reason": new.reason,
        "message": new.message,
        "observedGeneration": generation,
        "lastTransitionTime": since,
    }


def rfc3339(moment: datetime) -> str:
    """The time as Kubernetes writes it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def transitions(old: Sequence[Mapping[str, Any]], new: Iterable[Condition]) -> list[Condition]:
    """Those whose status or reason is another one than before."""
    before = {each["type"]: (each.get("status"), each.get("reason")) for each in old}
    return [each for each in new if before.get(each.type) != (each.status, each.reason)]
