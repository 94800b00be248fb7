"""What every approval has in common: one asks, another decides. All runs in the caller's transaction."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.utils import timezone
from uuid_utils.compat import uuid7

from etebar_common.problems import ApprovalDecided, SecondPersonNeeded
from payments.audit.services import Actor, record
from payments.locks import lock_approval
from payments.models import ApprovalRequest

State = ApprovalRequest.State
Kind = ApprovalRequest.Kind


def ask(kind: ApprovalRequest.Kind, by: Actor, **about: Any) -> ApprovalRequest:
    """A new request with the members that its kind has."""
    asked = ApprovalRequest(
        pk=uuid7(),
        kind=kind,
        requested_by_id=by.user_id,
        requested_for=by.name,
        created_at=timezone.now(),
        **about,
    )
    _record(asked, by, "approval_requested")
    asked.save(force_insert=True)
    return asked


def withdraw(asked: ApprovalRequest, by: Actor) -> None:
    """Takes back what is asked for, whoever asked."""
    _record(asked, by, "approval_withdrawn")
    asked.state, asked.decided_at = State.WITHDRAWN, timezone.now()
    asked.save(update_fields=["state", "decided_at"])


def decide(approval_id: UUID, state: ApprovalRequest.State, reason: str, by: Actor) -> ApprovalRequest:
    """The request, decided; what follows is the caller's. Raises NotFound, ApprovalDecided and SecondPersonNeeded."""
    asked = lock_approval(approval_id)
    if asked.state != State.REQUESTED:
        raise ApprovalDecided(f"the request is {asked.state}", extensions={"state": str(asked.state)})
    _require_second_person(asked, by)
    _record(asked, by, f"approval_{state.value}", reason=reason)
    asked.state, asked.decided_by_id, asked.decided_at, asked.reason = state, by.user_id, timezone.now(), reason
    asked.save(update_fields=["state", "decided_by", "decided_at", "reason"])
    return asked


def _require_second_person(asked: ApprovalRequest, by: Actor) -> None:
    """Raises SecondPersonNeeded for who asked, and for an account that was not there then: it may be made for this."""
    if asked.requested_by_id == by.user_id:
        raise SecondPersonNeeded(f"{by.name} asked for it")
    if not User.objects.filter(pk=by.user_id, date_joined__lt=asked.created_at).exists():
        raise SecondPersonNeeded(f"the account {by.name} is younger than the request")


def _record(asked: ApprovalRequest, by: Actor, action: str, **more: str) -> None:
    record(by, action, merchant_id=merchant_id_of(asked), **_detail(asked), **more)


def merchant_id_of(asked: ApprovalRequest) -> int | None:
    """Whose money it is about, None for the pool's."""
    return asked.withdrawal.merchant_id if asked.withdrawal else asked.merchant_id


_MEMBERS: dict[str, tuple[str, ...]] = {
    Kind.CREDIT_LIMIT: ("credit_limit",),
    Kind.POOL_ADJUSTMENT: ("kind", "amount", "grounds"),
    Kind.UNKNOWN_OUTCOME: ("kind", "withdrawal_id", "outcome", "grounds", "bank_reference"),
    Kind.STATEMENT_DIFFERENCE: ("kind", "statement_line_id", "withdrawal_id", "grounds"),
}


def _detail(asked: ApprovalRequest) -> dict[str, Any]:
    """What the audit keeps of a request, by its kind."""
    return {"approval_id": asked.pk, **{name: getattr(asked, name) for name in _MEMBERS[asked.kind]}}
