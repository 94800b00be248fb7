"""The CreditPool: a view of core's pool, which nobody but core changes."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from onboarding.conditions import Condition, is_so, rfc3339
from onboarding.core_answers import PoolAmounts
from onboarding.desired import GROUP, VERSION
from onboarding.errors import CoreRefused, CoreUnavailable
from onboarding.result import Result

NAME = "pool"
LOW_WATER, READY = "LowWater", "Ready"


class Core(Protocol):
    """What of core's client is needed here."""

    async def pool(self) -> PoolAmounts: ...


def manifest(namespace: str, low_water_mark: Decimal) -> dict[str, Any]:
    """The object as the operator keeps it."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "CreditPool",
        "metadata": {"name": NAME, "namespace": namespace},
        "spec": {"lowWaterMark": str(low_water_mark.quantize(Decimal("0.01")))},
    }


async def reconcile(core: Core, low_water_mark: Decimal, now: datetime) -> Result:
    """Reads the pool; when core does not tell, the last amounts stay, and Ready says why they are old."""
    try:
        amounts = await core.pool()
    except (CoreUnavailable, CoreRefused) as error:
        return Result([is_so(READY, value=False, reason="CoreUnavailable", message=str(error))], retry=True)
    shown = {
        "available": amounts.available_amount,
        "reserved": amounts.reserved_amount,
        "settled": amounts.settled_amount,
        "funded": amounts.funded_amount,
        "observedAt": rfc3339(now),
    }
    return Result(_conditions(amounts, low_water_mark), shown)


def _conditions(amounts: PoolAmounts, low_water_mark: Decimal) -> list[Condition]:
    is_low = Decimal(amounts.available_amount) < low_water_mark
    message = f"{amounts.available_amount} is available, the mark is {low_water_mark}"
    return [
        is_so(LOW_WATER, is_low, "LowWater" if is_low else "Enough", message),
        is_so(READY, value=True, reason="Ready", message="as core has it"),
    ]
