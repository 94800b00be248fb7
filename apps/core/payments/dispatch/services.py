"""The dispatcher: asks settlement about pending withdrawals until each outcome is definite.

It reads the withdrawals themselves, so the broker may lose every message; it never ends one by a clock.
"""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from core import metrics
from core.environment import ENVIRONMENT
from etebar_common import tracing
from etebar_common.crash import CrashPoint, crash_point
from payments.dispatch.backoff import backoff_seconds
from payments.dispatch.decisions import decisions_bring, decisions_end, decisions_of
from payments.models import DispatchAttempt, Withdrawal
from payments.withdrawals.services import withdrawals_confirm, withdrawals_settle
from payments.withdrawals.settlement_client import Outcome, SettlementError, SettleResult

logger = logging.getLogger(__name__)

# longer than one question to settlement can take; a dispatcher that dies leaves its withdrawals alone for as long
LEASE_SECONDS = 30.0

# SKIP LOCKED: one that is being confirmed need not be asked about again, and waiting for it could deadlock
ASK_AGAIN_LATER = """
UPDATE payments_withdrawal AS w SET next_attempt_at = now() + make_interval(secs => later.seconds)
FROM unnest(%s::uuid[], %s::float8[]) AS later (id, seconds)
WHERE w.id = later.id AND w.id IN (
    SELECT p.id FROM payments_withdrawal AS p JOIN unnest(%s::uuid[]) AS asked (id) ON asked.id = p.id
    WHERE p.state = 'pending' FOR UPDATE OF p SKIP LOCKED)
"""


@transaction.atomic(durable=True)
def claim_due(limit: int) -> list[Withdrawal]:
    """Takes pending withdrawals that are due, so that no other dispatcher has them for LEASE_SECONDS."""
    # the database's clock, which all have in common: one that is wrong here neither hurries nor forgets anybody
    due = list(
        Withdrawal.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("wallet_account", "idempotency_key")
        .filter(state=Withdrawal.State.PENDING, next_attempt_at__lte=Now())
        .order_by("next_attempt_at")[:limit]
    )
    Withdrawal.objects.filter(pk__in=[withdrawal.pk for withdrawal in due]).update(
        attempts=F("attempts") + 1, next_attempt_at=Now() + timedelta(seconds=LEASE_SECONDS)
    )
    for withdrawal in due:
        withdrawal.attempts += 1
    return due


def dispatch_due(limit: int | None = None) -> int:
    """Asks settlement once about every pending withdrawal that is due, in batches; returns how many got final."""
    batch_size = limit or ENVIRONMENT.dispatch_batch_size
    ended = 0
    while withdrawals := claim_due(batch_size):
        crash_point(CrashPoint.DISPATCH_CLAIMED)
        ended += _ask(withdrawals)
        if len(withdrawals) < batch_size:
            break
    try:
        decisions_end(batch_size)
    except SettlementError as error:
        logger.warning("decisions are looked up later: %s", error)
    return ended


def _ask(withdrawals: Sequence[Withdrawal]) -> int:
    """Asks about a list, in the traces of the requests that its members come from."""
    with tracing.list_span(
        "dispatch", (tracing.span_of(withdrawal.trace_parent) for withdrawal in withdrawals)
    ) as span:
        if span is not None:
            span.set_attribute("etebar.members", len(withdrawals))
        return _ask_together(withdrawals)


def _ask_together(withdrawals: Sequence[Withdrawal]) -> int:
    started = time.monotonic()
    results = _answers(withdrawals)
    crash_point(CrashPoint.DISPATCH_ANSWERED)
    duration_ms = int((time.monotonic() - started) * 1000)
    _log_attempts(withdrawals, results, duration_ms)
    # before confirming, so that one that cannot be confirmed does not come back at once
    _ask_again_later(withdrawals)
    conflicting = [pk for pk, result in results.items() if result.outcome is Outcome.CONFLICT]
    if conflicting:
        _flag(Withdrawal.objects.filter(pk__in=conflicting), "settlement knows them with other content")
    return withdrawals_confirm(withdrawals, results)


def _answers(withdrawals: Sequence[Withdrawal]) -> dict[UUID, SettleResult]:
    """Settlement's answers: to the decision where two people have made one, else to the order."""
    decisions = decisions_of(withdrawals)
    results = decisions_bring([each for each in withdrawals if each.pk in decisions], decisions)
    undecided = [withdrawal for withdrawal in withdrawals if withdrawal.pk not in decisions]
    return results | (withdrawals_settle(undecided) if undecided else {})


def _log_attempts(withdrawals: Sequence[Withdrawal], results: dict[UUID, SettleResult], duration_ms: int) -> None:
    for outcome, count in Counter(results[withdrawal.pk].outcome for withdrawal in withdrawals).items():
        metrics.DISPATCH_ATTEMPTS.labels(outcome.value).inc(count)
    DispatchAttempt.objects.bulk_create(
        DispatchAttempt(
            withdrawal=withdrawal,
            number=withdrawal.attempts,
            outcome=results[withdrawal.pk].outcome,
            detail=results[withdrawal.pk].detail[:500],
            duration_ms=duration_ms,
        )
        for withdrawal in withdrawals
    )


def _ask_again_later(withdrawals: Sequence[Withdrawal]) -> None:
    waits = [_backoff_seconds(withdrawal.attempts) for withdrawal in withdrawals]
    with connection.cursor() as cursor:
        ids = [str(withdrawal.pk) for withdrawal in withdrawals]
        cursor.execute(ASK_AGAIN_LATER, [ids, waits, ids])


def _backoff_seconds(attempt: int) -> float:
    return backoff_seconds(
        attempt, base=ENVIRONMENT.dispatch_backoff_base_seconds, cap=ENVIRONMENT.dispatch_backoff_cap_seconds
    )


def flag_overdue() -> int:
    """Marks pending withdrawals whose outcome is unknown past the budget, for staff; returns how many are new.

    They are never failed or refunded for it: the dispatcher goes on asking.
    """
    oldest = Now() - timedelta(seconds=ENVIRONMENT.unknown_outcome_budget_seconds)
    return _flag(Withdrawal.objects.filter(created_at__lt=oldest), "their outcome is unknown for too long")


@transaction.atomic
def _flag(withdrawals: QuerySet[Withdrawal], reason: str) -> int:
    unflagged = withdrawals.filter(state=Withdrawal.State.PENDING, overdue_since=None)
    # one that is being confirmed now need not be flagged, and waiting for it could deadlock
    free = list(unflagged.select_for_update(skip_locked=True).values_list("pk", flat=True))
    flagged = Withdrawal.objects.filter(pk__in=free).update(overdue_since=Now())
    if flagged:
        logger.error("%d withdrawals are newly flagged for staff: %s", flagged, reason)
    return flagged
