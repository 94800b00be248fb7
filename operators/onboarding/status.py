"""What of an object's status is to be written, and what its events tell."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onboarding.conditions import FALSE, Condition, merged, transitions
from onboarding.result import Result

# what is no news while it is false, and always was
EXCEPTIONS = frozenset({"Conflict", "Drifted", "LowWater", "PendingApproval"})
WARNINGS = frozenset(
    {
        "BankAccountInObject",
        "BankAccountMissing",
        "ClusterUnavailable",
        "Conflict",
        "CoreUnavailable",
        "Differs",
        "Invalid",
        "LowWater",
        "MerchantClosed",
        "Refused",
        "SecretNotOwned",
        "SuspendedByStaff",
        "TokenRefused",
        "UsernameTaken",
        "VersionStale",
        "WaitsForPending",
        "WaitsForRepayment",
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """As Kubernetes has them: type Normal or Warning, a reason in one word, a sentence."""

    type: str
    reason: str
    message: str


def changes(body: Mapping[str, Any], result: Result, now: datetime) -> dict[str, Any]:
    """The members of the status that are to be patched; none when a reconcile found nothing new."""
    if not result.conditions:
        return {}
    old = body.get("status", {})
    generation = body["metadata"]["generation"]
    conditions = merged(old.get("conditions", []), result.conditions, generation, now)
    new = {**result.members, "conditions": conditions, "observedGeneration": generation}
    return {name: value for name, value in new.items() if old.get(name) != value}


def events(body: Mapping[str, Any], result: Result) -> Iterator[Event]:
    """One for each condition that is new, or has another status or reason."""
    before = list(body.get("status", {}).get("conditions", []))
    known = {each["type"] for each in before}
    for condition in transitions(before, result.conditions):
        if condition.type in known or condition.status != FALSE or condition.type not in EXCEPTIONS:
            yield _event(condition)


def _event(condition: Condition) -> Event:
    kind = "Warning" if condition.reason in WARNINGS else "Normal"
    said = f": {condition.message}" if condition.message else ""
    return Event(kind, condition.reason, f"{condition.type} is {condition.status}{said}")
