"""Ends pending withdrawals: settled, or failed with the funds released; idempotent, whoever comes first."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from etebar_common.crash import CrashPoint
from payments.statements import call_function
from payments.withdrawals.representation import final_status_and_body


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
    """The truth after confirm: `changed` is False when another had ended the withdrawal before."""

    withdrawal_id: UUID
    changed: bool
    state: str
    status: int
    body: str


def confirm(confirmations: Sequence[Confirmation]) -> dict[UUID, Confirmed]:
    """Ends the withdrawals; durable when this returns. Returns each one's final answer by withdrawal id."""
    rows = call_function(
        "SELECT * FROM payments_confirm(%s)",
        [json.dumps([confirmation.item() for confirmation in confirmations])],
        crash_before_commit=CrashPoint.BEFORE_CONFIRM_COMMIT,
    )
    return {row["withdrawal_id"]: Confirmed(**row) for row in rows}
