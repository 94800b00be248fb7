"""What a reconcile found."""

from dataclasses import dataclass, field
from typing import Any

from onboarding.conditions import Condition


@dataclass(frozen=True, slots=True)
class Result:
    """Members and conditions for the object's status, the most telling condition last; none: the status stays as it is.

    `retry` asks to come again soon. `is_stale`: core has seen a newer version of the object.
    """

    conditions: list[Condition] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)
    retry: bool = False
    is_stale: bool = False
