"""An outcome that nobody could tell, decided by two people with evidence. Runs in the caller's transaction.

An approval moves no money: it is for the dispatcher to bring it to settlement, and to confirm what settlement answers.
"""

from uuid import UUID

from django.utils import timezone

from etebar_common.problems import WithdrawalStateConflict
from payments.approvals.decisions import Kind, State, ask, withdraw
from payments.audit.services import Actor
from payments.locks import lock_withdrawal
from payments.models import ApprovalRequest, OutcomeDecision, Withdrawal


def outcome_ask(*, withdrawal_id: UUID, outcome: str, evidence: str, bank_reference: str, by: Actor) -> ApprovalRequest:
    """Asks to end a withdrawal that is flagged; another question about it takes the place of the first.

    Raises NotFound and WithdrawalStateConflict.
    """
    withdrawal = lock_withdrawal(withdrawal_id)
    _require_undecided(withdrawal)
    about = {"outcome": outcome, "grounds": evidence, "bank_reference": bank_reference, "requested_for": by.name}
    asked = ApprovalRequest.objects.filter(
        withdrawal=withdrawal, kind=Kind.UNKNOWN_OUTCOME, state=State.REQUESTED
    ).first()
    if asked is not None:
        if all(getattr(asked, name) == value for name, value in about.items()):
            return asked
        withdraw(asked, by)
    return ask(
        Kind.UNKNOWN_OUTCOME,
        by,
        withdrawal=withdrawal,
        outcome=outcome,
        grounds=evidence,
        bank_reference=bank_reference,
    )


def outcome_decide(asked: ApprovalRequest, by: Actor) -> None:  # noqa: ARG001 - as every effect of an approval
    """Has the dispatcher carry the approved outcome out, from now on; raises WithdrawalStateConflict."""
    withdrawal = asked.withdrawal
    assert withdrawal is not None  # noqa: S101 - the CHECK approval_kind_whole
    _require_undecided(withdrawal)
    now = timezone.now()
    OutcomeDecision.objects.create(approval=asked, withdrawal=withdrawal, outcome=asked.outcome, created_at=now)
    Withdrawal.objects.filter(pk=withdrawal.pk).update(next_attempt_at=now)


def _require_undecided(withdrawal: Withdrawal) -> None:
    if withdrawal.state != Withdrawal.State.PENDING:
        raise _conflict(withdrawal, f"the withdrawal is {withdrawal.state}")
    if withdrawal.overdue_since is None:
        raise _conflict(withdrawal, "the withdrawal is not flagged: its outcome may still become known")
    if OutcomeDecision.objects.filter(withdrawal=withdrawal).exists():
        raise _conflict(withdrawal, "two people have decided it already; the dispatcher carries it out")


def _conflict(withdrawal: Withdrawal, detail: str) -> WithdrawalStateConflict:
    return WithdrawalStateConflict(detail, extensions={"state": str(withdrawal.state)})
