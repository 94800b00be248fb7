"""Paying: recorded once before the rail is called, by one worker at a time, answered by a deadline."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from etebar_common import tracing
from etebar_common.crash import CrashPoint, crash_point
from etebar_common.problems import NotReady
from settlement import metrics
from settlement.payouts.in_flight import InFlight, Work
from settlement.payouts.news import News
from settlement.payouts.records import Claim, Decision, Payout, PayoutOrder
from settlement.payouts.runner import Runner
from settlement.payouts.store import Payouts, PayoutStore

logger = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What became of an order by the deadline; with `differs`, it was not this payout's order and paid nothing."""

    payout: Payout
    differs: Sequence[str] = ()

    @classmethod
    def of(cls, order: PayoutOrder | Decision, payout: Payout) -> "Answer":
        differs = payout.differs(order)
        if differs:
            metrics.CONFLICTS.inc()
        return cls(payout, differs)


class PayoutService:
    def __init__(self, store: PayoutStore, runner: Runner, in_flight: InFlight, rail_name: str) -> None:
        self._store = store
        self._runner = runner
        self._in_flight = in_flight
        self._rail_name = rail_name

    async def pay(self, orders: Sequence[PayoutOrder], *, deadline_seconds: float) -> list[Answer]:
        """One answer per order, in their order, no later than the deadline; what is late goes on by itself."""
        payouts: Payouts = {}
        async for known in await self.begin(orders, deadline_seconds=deadline_seconds):
            payouts |= known
        return [Answer.of(order, payouts[order.withdrawal_id]) for order in orders]

    async def decide(self, decision: Decision) -> Answer:
        """How the payout stands after the decision was brought; with `differs`, it is about another payout."""
        payout = await self._store.decide(decision)
        if payout.evidence == decision.evidence:
            logger.warning("payout %s is %s by decision %s", payout.withdrawal_id, payout.state, decision.evidence)
        return Answer.of(decision, payout)

    async def begin(self, orders: Sequence[PayoutOrder], *, deadline_seconds: float) -> AsyncIterator[Payouts]:
        """Records the orders and starts their payouts, which go on by themselves; raises if nothing was recorded.

        What it returns yields the payout of each id once: together what became known together, as soon as it is
        known, and at the deadline what is not, as pending. It raises nothing.
        """
        until = asyncio.get_running_loop().time() + deadline_seconds
        by_id = {order.withdrawal_id: order for order in reversed(orders)}
        works = self._in_flight.join(by_id)
        payouts: Payouts = {}
        try:
            with tracing.span("record"):
                payouts, claims = await self._record_and_claim(orders, by_id)
            claimed = {claim.order.withdrawal_id: self._in_flight.claim(claim.order.withdrawal_id) for claim in claims}
            self._runner.start(claims, claimed)
        finally:
            self._in_flight.leave(works, payouts)
        return _as_they_become_known(works | claimed, payouts, until)

    async def _record_and_claim(
        self, orders: Sequence[PayoutOrder], by_id: Mapping[UUID, PayoutOrder]
    ) -> tuple[Payouts, list[Claim]]:
        fresh = await self._store.record(by_id.values())
        crash_point(CrashPoint.AFTER_PAYOUT_RECORDED)
        claims = [Claim(by_id[each], payout, fresh=True) for each, payout in fresh.items()]
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
        return [Claim(same[each], payout, fresh=False) for each, payout in claimed.items()]


async def _as_they_become_known(works: Mapping[UUID, Work], payouts: Payouts, until: float) -> AsyncIterator[Payouts]:
    known = {each: payout for each, payout in payouts.items() if payout.is_decided}
    if known:
        yield known
    news = News()
    awaited = payouts.keys() - known.keys()
    for each in awaited:
        works[each].listen(news, each)
    while awaited and (heard := await news.wait(until)):
        awaited -= heard.keys()
        yield {each: payout or payouts[each] for each, payout in heard.items()}
    if awaited:
        yield {each: payouts[each] for each in awaited}
