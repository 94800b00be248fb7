"""Brings what two people decided to settlement, which concludes the payout by it or knows better.

It is repeated until settlement answers, and may be repeated after: whatever dies in between, the payout is concluded
once, and the withdrawal ends as its payout did.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.utils import timezone

from core.environment import ENVIRONMENT
from etebar_common import tracing
from etebar_common.crash import CrashPoint, crash_point
from payments.models import OutcomeDecision, Withdrawal
from payments.withdrawals.services import order_without_account
from payments.withdrawals.settlement_client import Outcome, PayoutDecision, SettleResult, settlement_client

logger = logging.getLogger(__name__)

Result = OutcomeDecision.Result


# for bringing several one by one; shorter than the dispatcher's lease
BRING_SECONDS = 10.0


def decisions_of(withdrawals: Sequence[Withdrawal]) -> dict[UUID, OutcomeDecision]:
    """Those of the withdrawals that two people have decided."""
    found = OutcomeDecision.objects.filter(withdrawal__in=[withdrawal.pk for withdrawal in withdrawals])
    return {decision.withdrawal_id: decision for decision in found}


def decisions_bring(
    withdrawals: Sequence[Withdrawal], decisions: Mapping[UUID, OutcomeDecision]
) -> dict[UUID, SettleResult]:
    """Settlement's answers to the decisions; whom the time does not reach is asked later."""
    until = time.monotonic() + BRING_SECONDS
    not_asked = SettleResult(Outcome.UNKNOWN, "not asked: the time was over")
    return {
        withdrawal.pk: decision_bring(withdrawal, decisions[withdrawal.pk]) if time.monotonic() < until else not_asked
        for withdrawal in withdrawals
    }


def decision_bring(withdrawal: Withdrawal, decision: OutcomeDecision) -> SettleResult:
    """Settlement's answer to the decision; what is definite is noted before the withdrawal is confirmed by it."""
    brought = PayoutDecision(
        order_without_account(withdrawal), withdrawal.account_fingerprint, decision.outcome, decision.evidence
    )
    with tracing.span("bring decision"):
        result, evidence = settlement_client().conclude(brought, deadline_seconds=ENVIRONMENT.settle_deadline_seconds)
    if result.outcome in {Outcome.PAID, Outcome.REFUSED}:
        crash_point(CrashPoint.DECISION_CONCLUDED)
        _end(decision, evidence)
    return result


def _end(decision: OutcomeDecision, evidence: str) -> None:
    """Notes whether the payout ended by the decision; only the first note counts."""
    result = Result.CARRIED_OUT if evidence == decision.evidence else Result.OVERTAKEN
    open_one = OutcomeDecision.objects.filter(pk=decision.pk, result="")
    if open_one.update(result=result, ended_at=timezone.now()):
        logger.warning("decision %s of withdrawal %s is %s", decision.pk, decision.withdrawal_id, result.value)


def decisions_end(limit: int) -> int:
    """Notes the end of decisions whose withdrawal somebody else confirmed meanwhile; returns how many.

    That is a question to settlement that was on its way when the decision was made. Raises SettlementError.
    """
    late = OutcomeDecision.objects.filter(result="").exclude(withdrawal__state=Withdrawal.State.PENDING)
    decisions = {decision.withdrawal_id: decision for decision in late.order_by("created_at")[:limit]}
    if not decisions:
        return 0
    payouts = settlement_client().lookup(list(decisions))
    for payout in payouts:
        _end(decisions[UUID(payout["withdrawal_id"])], str(payout.get("evidence") or ""))
    return len(payouts)
