"""Paying: recorded once before the rail is called, by one worker at a time, answered by a deadline."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from etebar_common.crash import CrashPoint, crash_point
from etebar_common.problems import NotReady
from settlement.payouts.in_flight import InFlight, Work
from settlement.payouts.records import Claim, Payout, PayoutOrder
from settlement.payouts.runner import Runner
from settlement.payouts.store import Payouts, PayoutStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an order by the deadline; with `differs`, it was not this payout's order and paid nothing."""

    payout: Payout
    differs: Sequence[str] = ()


class PayoutService:
    def __init__(self, store: PayoutStore, runner: Runner, in_flight: InFlight, rail_name: str) -> None:
        self._store = store
        self._runner = runner
        self._in_flight = in_flight
        self._rail_name = rail_name

    async def pay(self, orders: Sequence[PayoutOrder], *, deadline_seconds: float) -> list[Answer]:
        """One answer per order, in their order, no later than the deadline; what is late goes on by itself."""
        until = asyncio.get_running_loop().time() + deadline_seconds
        by_id = {order.withdrawal_id: order for order in reversed(orders)}
        works = self._in_flight.join(by_id)
        payouts: Payouts = {}
        try:
            payouts, claims = await self._record_and_claim(orders, by_id)
            claimed = {claim.order.withdrawal_id: self._in_flight.claim(claim.order.withdrawal_id) for claim in claims}
            self._runner.start(claims, claimed)
        finally:
            self._in_flight.leave(works, payouts)
        payouts |= await _news(works | claimed, payouts, until)
        return [Answer(payouts[order.withdrawal_id], payouts[order.withdrawal_id].differs(order)) for order in orders]

    async def _record_and_claim(
        self, orders: Sequence[PayoutOrder], by_id: Mapping[UUID, PayoutOrder]
    ) -> tuple[Payouts, list[Claim]]:
        fresh = await self._store.record(by_id.values())
        crash_point(CrashPoint.AFTER_PAYOUT_RECORDED)
        claims = [Claim(by_id[each], payout.attempts, fresh=True) for each, payout in fresh.items()]
        known = await self._find(by_id.keys() - fresh.keys())
        return fresh | known, claims + await self._take_over(orders, known)

    async def _find(self, withdrawal_ids: Iterable[UUID]) -> Payouts:
        wanted = set(withdrawal_ids)
        known = await self._store.find(wanted) if wanted else {}
        if wanted - known.keys():
            # Only clearing the sandbox takes a payout away, here between the insert and this look.
            raise NotReady("the sandbox is being cleared; repeat the request", headers={"Retry-After": "1"})
        return known

    async def _take_over(self, orders: Iterable[PayoutOrder], known: Payouts) -> list[Claim]:
        """Claims on payouts that others left pending: their lease ran out, or they did not learn the outcome."""
        same = {
            order.withdrawal_id: order
            for order in orders
            if (payout := known.get(order.withdrawal_id)) and not payout.is_decided and not payout.differs(order)
        }
        for withdrawal_id in same:
            if known[withdrawal_id].rail != self._rail_name:
                logger.warning("payout %s waits for the rail %s", withdrawal_id, known[withdrawal_id].rail)
        claimed = await self._store.claim(same) if same else {}
        return [Claim(same[each], payout.attempts, fresh=False) for each, payout in claimed.items()]


async def _news(works: Mapping[UUID, Work], payouts: Payouts, until: float) -> Payouts:
    """What the works on undecided payouts tell until the deadline."""
    awaited = {each: work for each, work in works.items() if not payouts[each].is_decided}
    if awaited:
        remaining = max(until - asyncio.get_running_loop().time(), 0)
        await asyncio.wait([work.ended for work in awaited.values()], timeout=remaining)
    told = {each: work.ended.result() for each, work in awaited.items() if work.ended.done()}
    return {each: payout for each, payout in told.items() if payout}
