"""What one person asks for and another decides."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy, pgettext_lazy

from payments.approvals import services
from payments.audit.services import Actor
from payments.console.acts import Act, ActingAdmin, Text
from payments.console.forms import OptionalReasonForm
from payments.models import ApprovalRequest

DECIDES = "payments.decide_approvalrequest"


def _approve(asked: ApprovalRequest, fields: dict[str, Any], by: Actor) -> Text:
    services.approval_approve(approval_id=asked.pk, by=by, **fields)
    return gettext_lazy("The request is approved.")


def _refuse(asked: ApprovalRequest, fields: dict[str, Any], by: Actor) -> Text:
    services.approval_refuse(approval_id=asked.pk, by=by, **fields)
    return gettext_lazy("The request is refused.")


def is_open(asked: ApprovalRequest, _request: HttpRequest) -> bool:
    """Who asked has the button, too, and is told that it takes somebody else: a missing one would tell nothing."""
    return asked.state == ApprovalRequest.State.REQUESTED


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(ActingAdmin):
    acts = (
        Act(
            "approve",
            pgettext_lazy("act", "Approve"),
            DECIDES,
            _approve,
            form=OptionalReasonForm,
            is_offered=is_open,
            is_grave=True,
        ),
        Act("refuse", pgettext_lazy("act", "Refuse"), DECIDES, _refuse, form=OptionalReasonForm, is_offered=is_open),
    )
    list_display = ("id", "kind", "state", "requested_for", "decided_by", "created_at")
    list_filter = ("kind", "state")
    list_select_related = ("decided_by",)
    ordering = ("-created_at", "-id")
    export_fields = (
        "id",
        "kind",
        "state",
        "requested_for",
        "decided_by__username",
        "reason",
        "created_at",
        "decided_at",
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Those that its kind has."""
        chosen = [name for name in self._every_field if obj is None or getattr(obj, name) not in (None, "", 0)]
        return self._columns(chosen, request)

    _every_field = (
        "kind",
        "state",
        "merchant",
        "credit_limit",
        "amount",
        "withdrawal",
        "statement_line",
        "outcome",
        "grounds",
        "bank_reference",
        "requested_for",
        "created_at",
        "decided_by",
        "reason",
        "decided_at",
    )

    def panels(self, row: ApprovalRequest, request: HttpRequest) -> dict[str, Any]:
        """The evidence of the withdrawal that it is about."""
        attempts = row.withdrawal.dispatch_attempts.order_by("-number")[:20] if row.withdrawal else ()
        return {"attempts": attempts, "is_own": row.requested_by_id == request.user.pk}
