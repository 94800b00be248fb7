"""Reading and writing payouts, always as lists, one statement each (the SQL is in settlement/sql.py)."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from settlement import sql
from settlement.database import Database
from settlement.payouts.records import Claim, Decision, Payout, PayoutOrder, PayoutState
from settlement.rails.base import Outcome

logger = logging.getLogger(__name__)

Payouts = dict[UUID, Payout]


@dataclass(frozen=True, slots=True)
class Window:
    """Which payouts a list shows: created in [created_from, created_to), of a state, after a position."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    state: PayoutState | None = None
    after: tuple[datetime, UUID] | None = None
    limit: int = 100


class PayoutStore:
    def __init__(self, database: Database, rail_name: str, lease_seconds: float) -> None:
        self._database = database
        self._rail_name = rail_name
        self._lease = timedelta(seconds=lease_seconds)

    async def record(self, orders: Iterable[PayoutOrder]) -> Payouts:
        """Records orders whose id is new, and claims them; answers with those only. Ids must differ."""
        listed = list(orders)
        columns = [
            [order.withdrawal_id for order in listed],
            [order.merchant_id for order in listed],
            [order.account_id for order in listed],
            [order.amount for order in listed],
            [order.account_fingerprint for order in listed],
            [order.account_masked for order in listed],
            [order.direct_test for order in listed],
            [order.idempotency_key for order in listed],
        ]
        rows = await self._database.fetch(sql.RECORD_PAYOUTS, *columns, self._rail_name, self._lease)
        recorded_at: dict[UUID, datetime] = {row[0]: row[1] for row in rows}
        return {
            order.withdrawal_id: Payout.recorded(order, self._rail_name, recorded_at[order.withdrawal_id])
            for order in listed
            if order.withdrawal_id in recorded_at
        }

    async def find(self, withdrawal_ids: Iterable[UUID]) -> Payouts:
        return await self._payouts(sql.PAYOUTS_BY_ID, list(withdrawal_ids))

    async def claim(self, withdrawal_ids: Iterable[UUID]) -> Payouts:
        """Claims those that are pending on this rail and under nobody's lease; answers with those only."""
        return await self._payouts(sql.CLAIM_PAYOUTS, list(withdrawal_ids), self._rail_name, self._lease)

    async def conclude(self, claims: Sequence[Claim], outcomes: Mapping[str, Outcome]) -> Payouts:
        """Records definite outcomes, and ends the lease of the payouts that stay pending."""
        decided = [claim for claim in claims if outcomes[claim.order.reference].is_decided]
        undecided = [claim for claim in claims if not outcomes[claim.order.reference].is_decided]
        payouts = await self._decide(decided, outcomes) if decided else {}
        if undecided:
            payouts |= await self._release(undecided)
        return payouts

    async def decide(self, decision: Decision) -> Payout:
        """Concludes the payout by the decision, or leaves it as it is; answers with how it stands after that.

        Decided already: its own outcome stays. Pending under a lease: it stays pending, for whoever holds the lease may
        be paying. Never ordered: recorded as decided.
        """
        key, reason = decision.withdrawal_id, decision.reason
        new = (decision.merchant_id, decision.account_id, decision.amount, decision.account_fingerprint)
        await self._database.fetch(
            sql.RECORD_DECIDED, key, *new, self._rail_name, decision.state, reason, decision.evidence
        )
        found = (await self.find([key]))[key]
        if not found.is_decided and not found.differs(decision):
            await self._database.fetch(sql.DECIDE_BY_EVIDENCE, key, decision.state, reason, decision.evidence)
            found = (await self.find([key]))[key]
        return found

    async def _decide(self, claims: Sequence[Claim], outcomes: Mapping[str, Outcome]) -> Payouts:
        found = [outcomes[claim.order.reference] for claim in claims]
        rows = await self._database.fetch(
            sql.DECIDE_PAYOUTS,
            [claim.order.withdrawal_id for claim in claims],
            [outcome.verdict.value for outcome in found],
            [outcome.reason for outcome in found],
        )
        decided_at: dict[UUID, datetime] = {row[0]: row[1] for row in rows}
        _tell_of_late(claims, outcomes, decided_at)
        return {
            claim.payout.withdrawal_id: claim.payout.decided(
                PayoutState(outcome.verdict), outcome.reason, decided_at[claim.payout.withdrawal_id]
            )
            for claim, outcome in zip(claims, found, strict=True)
            if claim.payout.withdrawal_id in decided_at
        }

    async def _release(self, claims: Sequence[Claim]) -> Payouts:
        held = {claim.payout.withdrawal_id: claim.payout for claim in claims}
        attempts = [payout.attempts for payout in held.values()]
        rows = await self._database.fetch(sql.RELEASE_PAYOUTS, list(held), attempts)
        return {row[0]: held[row[0]] for row in rows}

    async def window(self, window: Window) -> list[Payout]:
        """The payouts of a window by (created_at, withdrawal_id).

        One that is being recorded at this moment may still appear at an earlier place once it is committed: who
        reads to compare books ends the window some seconds in the past.
        """
        created_at, withdrawal_id = window.after or (None, None)
        rows = await self._database.fetch(
            sql.PAYOUT_WINDOW,
            window.created_from,
            window.created_to,
            window.state,
            created_at,
            withdrawal_id,
            window.limit,
        )
        return [Payout.from_row(row) for row in rows]

    async def clear(self) -> int:
        """Empties payouts and the sandbox bank's books; the database refuses it outside sandbox and test."""
        return int(await self._database.fetch_value(sql.CLEAR_SANDBOX))

    async def _payouts(self, statement: str, *values: Any) -> Payouts:
        rows = await self._database.fetch(statement, *values)
        return {payout.withdrawal_id: payout for payout in map(Payout.from_row, rows)}


def _tell_of_late(claims: Sequence[Claim], outcomes: Mapping[str, Outcome], decided: Mapping[UUID, datetime]) -> None:
    """Tells of outcomes that came when the payout was decided already: by another worker, or by people."""
    for claim in claims:
        if claim.order.withdrawal_id not in decided:
            verdict = outcomes[claim.order.reference].verdict.value
            logger.warning("payout %s: the rail says %s after it was decided", claim.order.withdrawal_id, verdict)
