"""One reconcile of a PoolTopUp."""

from collections.abc import Mapping
from typing import Any, Protocol

from onboarding.conditions import Condition, is_so
from onboarding.core_answers import KeptTopUp
from onboarding.errors import CoreRefused, CoreUnavailable, reason_of
from onboarding.result import Result

APPLIED, CONFLICT, READY = "Applied", "Conflict", "Ready"
CONFLICTING = "top_up_conflict"


class Core(Protocol):
    """What of core's client is needed here."""

    async def keep_top_up(self, namespace: str, reference: str, name: str, amount: str) -> KeptTopUp: ...


async def reconcile(core: Core, body: Mapping[str, Any]) -> Result:
    """Tops the pool up, once per namespace and reference; says so, or why not."""
    metadata, spec = body["metadata"], body["spec"]
    try:
        kept = await core.keep_top_up(metadata["namespace"], spec["reference"], metadata["name"], spec["amount"])
    except CoreUnavailable as error:
        return Result([is_so(READY, value=False, reason="CoreUnavailable", message=str(error))], retry=True)
    except CoreRefused as error:
        return Result(_refused(error), retry=error.code != CONFLICTING)
    members = {"topUpId": kept.top_up_id, "appliedAmount": kept.amount, "appliedAt": kept.applied_at}
    return Result(
        [
            is_so(APPLIED, value=True, reason="Applied", message=f"{kept.amount} at {kept.applied_at}"),
            is_so(CONFLICT, value=False, reason="NoConflict"),
            is_so(READY, value=True, reason="Applied"),
        ],
        members,
    )


def _refused(error: CoreRefused) -> list[Condition]:
    is_conflict = error.code == CONFLICTING
    reason = reason_of(error)
    return [
        is_so(APPLIED, value=False, reason=reason, message=str(error)),
        is_so(CONFLICT, is_conflict, "Conflict" if is_conflict else "NoConflict", str(error) if is_conflict else ""),
        is_so(READY, value=False, reason=reason, message=str(error)),
    ]
