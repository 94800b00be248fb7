"""Talking to the rail about claimed payouts, in the background, and recording what it answered."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from etebar_common import tracing
from etebar_common.crash import CrashPoint, crash_point
from settlement import metrics
from settlement.payouts.in_flight import InFlight, Work
from settlement.payouts.records import Claim
from settlement.payouts.store import Payouts, PayoutStore
from settlement.rails.base import ListRail, Outcome, Rail, Transfer, Verdict, pay_together, status_together, unknown

logger = logging.getLogger(__name__)

Question = Callable[[Rail, Sequence[Transfer]], Awaitable[dict[str, Outcome]]]


class Runner:
    """Runs claims as tasks that outlive the request that started them."""

    def __init__(self, rail: Rail, store: PayoutStore, in_flight: InFlight, rail_timeout_seconds: float) -> None:
        self._rail = rail
        self._store = store
        self._in_flight = in_flight
        self._rail_timeout_seconds = rail_timeout_seconds
        self._list_rail = rail if isinstance(rail, ListRail) else None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, claims: Sequence[Claim], works: Mapping[UUID, Work]) -> None:
        """Starts the work on claims; each one's work is ended when its claim has been concluded."""
        for group in self._groups(claims):
            task = asyncio.create_task(self._run(group, works))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def drain(self, grace_seconds: float) -> None:
        """Waits for what runs. What is left after the grace is abandoned: it stays pending, to be asked again."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(set(self._tasks), timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            logger.warning("%d payouts were still with the rail at shutdown and stay pending", len(late))
            await asyncio.wait(late)

    def _groups(self, claims: Iterable[Claim]) -> list[list[Claim]]:
        """Claims that the rail takes as one list, and each other one alone, so that a slow one delays no other."""
        together: list[Claim] = []
        groups = [together]
        for claim in claims:
            if self._list_rail and self._list_rail.takes_in_list(claim.order.transfer):
                together.append(claim)
            else:
                groups.append([claim])
        return [group for group in groups if group]

    async def _run(self, claims: Sequence[Claim], works: Mapping[UUID, Work]) -> None:
        payouts: Payouts = {}
        try:
            outcomes = await self._outcomes(claims)
            if any(outcome.verdict is Verdict.PAID for outcome in outcomes.values()):
                crash_point(CrashPoint.AFTER_RAIL_PAID)
            with tracing.span("conclude"):
                payouts = await self._store.conclude(claims, outcomes)
            if any(payout.is_decided for payout in payouts.values()):
                crash_point(CrashPoint.AFTER_PAYOUT_DECIDED)
        except Exception:  # whatever it was, the payouts stay pending and the rail is asked about them again
            logger.exception("the outcome of %d payouts could not be recorded", len(claims))
        finally:
            for claim in claims:
                withdrawal_id = claim.order.withdrawal_id
                self._in_flight.end(withdrawal_id, works[withdrawal_id], payouts.get(withdrawal_id))

    async def _outcomes(self, claims: Sequence[Claim]) -> dict[str, Outcome]:
        """Pays what is fresh; asks about what may have been sent, and sends it again only if it never arrived.

        It is sent again under the same reference, by which the bank deduplicates: should the first send still be
        on its way after all, only one of the two moves money.
        """
        to_ask = [claim.order.transfer for claim in claims if not claim.fresh]
        outcomes = await self._within_timeout("status", to_ask, status_together)
        to_pay = [
            claim.order.transfer
            for claim in claims
            if claim.fresh or outcomes[claim.order.reference].verdict is Verdict.NOT_FOUND
        ]
        return outcomes | await self._within_timeout("pay", to_pay, pay_together)

    async def _within_timeout(self, call: str, transfers: Sequence[Transfer], ask: Question) -> dict[str, Outcome]:
        """The rail's answers; whatever goes wrong is an unknown outcome, never a failure."""
        if not transfers:
            return {}
        with tracing.span(f"rail {call}", **{"etebar.rail": self._rail.name}) as span:
            outcomes = await self._ask(call, transfers, ask)
            if span is not None:
                verdicts = sorted({outcome.verdict.value for outcome in outcomes.values()})
                span.set_attributes({"etebar.members": len(transfers), "etebar.outcome": ",".join(verdicts)})
            return outcomes

    async def _ask(self, call: str, transfers: Sequence[Transfer], ask: Question) -> dict[str, Outcome]:
        try:
            with metrics.RAIL_SECONDS.labels(self._rail.name, call).time(), _in_flight(len(transfers)):
                async with asyncio.timeout(self._rail_timeout_seconds):
                    outcomes = await ask(self._rail, transfers)
        except TimeoutError:
            outcomes = _all(transfers, unknown("the rail did not answer in time"))
        except Exception:  # an adapter's defect must not look like a refusal
            logger.exception("the rail %s failed", self._rail.name)
            outcomes = _all(transfers, unknown("the rail's adapter failed"))
        for verdict, count in Counter(outcome.verdict for outcome in outcomes.values()).items():
            metrics.PAYOUTS.labels(self._rail.name, call, verdict.value).inc(count)
        for reference, outcome in outcomes.items():
            if outcome.verdict is Verdict.UNKNOWN:
                logger.warning("payout %s: outcome unknown: %s", reference, outcome.detail)
        return outcomes


@contextmanager
def _in_flight(payouts: int) -> Iterator[None]:
    metrics.IN_FLIGHT.inc(payouts)
    try:
        yield
    finally:
        metrics.IN_FLIGHT.dec(payouts)


def _all(transfers: Sequence[Transfer], outcome: Outcome) -> dict[str, Outcome]:
    return {transfer.reference: outcome for transfer in transfers}
