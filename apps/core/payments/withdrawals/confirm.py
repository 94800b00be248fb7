"""Ends pending withdrawals: settled, or failed with the funds released; idempotent, whoever comes first."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import DatabaseError, InterfaceError, OperationalError

from core import metrics
from etebar_common.crash import CrashPoint
from etebar_common.metrics import exemplar
from etebar_common.problems import PayoutFailed
from payments.models import Withdrawal
from payments.statements import call_function
from payments.withdrawals.representation import final_status_and_body

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A definite outcome; `members` are the withdrawal's as it ends, `log_id` the request to complete, if any."""

    members: dict[str, Any]
    log_id: UUID | None = None
    duration_ms: int | None = None

    def item(self) -> dict[str, Any]:
        """The members of payments_confirm_item."""
        status, body = final_status_and_body(self.members)
        return {
            "withdrawal_id": self.members["id"],
            "state": self.members["state"],
            "failure_code": self.members["failure_code"] or "",
            "finalized_at": self.members["finalized_at"],
            "status": status,
            "body": body,
            "log_id": str(self.log_id) if self.log_id else None,
            "duration_ms": self.duration_ms,
        }


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The truth after confirm: `changed` is False when another had ended the withdrawal before, or is at it."""

    changed: bool
    state: str
    status: int
    body: str


def confirm(confirmations: Sequence[Confirmation]) -> dict[str, Confirmed | None]:
    """Ends the withdrawals; durable when this returns. Returns each one's final answer by withdrawal id.

    None for one that stays pending, because somebody else holds what it needs. One that is not there any more (the
    sandbox was cleared) has no entry.
    """
    items = {confirmation.members["id"]: confirmation.item() for confirmation in confirmations}
    rows = call_function(
        "SELECT * FROM payments_confirm(%s)",
        [orjson.dumps(list(items.values())).decode()],
        crash_before_commit=CrashPoint.BEFORE_CONFIRM_COMMIT,
    )
    changed = {row["withdrawal_id"] for row in rows if row["changed"]}
    _count([confirmation.members for confirmation in confirmations if confirmation.members["id"] in changed])
    return {row["withdrawal_id"]: _confirmed(row, items[row["withdrawal_id"]]) for row in rows}


def _count(ended: Sequence[dict[str, Any]]) -> None:
    """Counts withdrawals that this process has ended."""
    for members in ended:
        state = members["state"]
        metrics.WITHDRAWALS.labels(state, PayoutFailed.code if state == Withdrawal.State.FAILED else "").inc()
        metrics.WITHDRAWN.labels(state).inc(float(members["amount"]))
        took = datetime.fromisoformat(members["finalized_at"]) - datetime.fromisoformat(members["created_at"])
        # two clocks: the database's and ours
        metrics.FINAL_SECONDS.observe(max(took.total_seconds(), 0), exemplar())


def _confirmed(row: dict[str, Any], item: dict[str, Any]) -> Confirmed | None:
    truth = item if row["changed"] else row
    if truth["status"] is None:
        return None
    return Confirmed(row["changed"], truth["state"], truth["status"], truth["body"])


def confirm_what_can_be(confirmations: Sequence[Confirmation]) -> dict[str, Confirmed | None]:
    """Like `confirm`; None for one that the database does not take, which does not hold up the others.

    Raises OperationalError and InterfaceError when the database is away.
    """
    try:
        return dict(confirm(confirmations))
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        if len(confirmations) == 1:
            withdrawal_id = str(confirmations[0].members["id"])
            logger.exception("withdrawal %s cannot be confirmed and stays pending", withdrawal_id)
            return {withdrawal_id: None}
    return {
        withdrawal_id: confirmed
        for confirmation in confirmations
        for withdrawal_id, confirmed in confirm_what_can_be([confirmation]).items()
    }
