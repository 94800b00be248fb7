"""Repayments, and the act that takes one back."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from payments import formats
from payments.audit.services import Actor
from payments.console.acts import Act, ActingAdmin, Text
from payments.console.forms import ReasonForm
from payments.console.merchants import RECORDS
from payments.console.read_only import ReadOnlyAdmin
from payments.models import Repayment, RepaymentReversal
from payments.repayments.services import is_reversed, repayment_reverse


def _reverse(repayment: Repayment, fields: dict[str, Any], by: Actor) -> Text:
    repayment_reverse(repayment_id=repayment.pk, by=by, **fields)
    return gettext_lazy("The repayment is reversed.")


def _is_in_force(repayment: Repayment, _request: HttpRequest) -> bool:
    return not is_reversed(repayment)


def _has_reversal(repayment: Repayment) -> bool:
    return hasattr(repayment, "reversal")


@admin.register(Repayment)
class RepaymentAdmin(ActingAdmin):
    acts = (
        Act(
            "reverse",
            gettext_lazy("Reverse"),
            RECORDS,
            _reverse,
            form=ReasonForm,
            is_offered=_is_in_force,
            is_grave=True,
        ),
    )
    list_display = ("id", "merchant", "amount", "reference", "recorded_by", "created_at", "reversed_at")
    list_select_related = ("merchant", "recorded_by", "reversal")
    fields = (*list_display[1:], "statement_line", "reversal_reason")
    search_fields = ("=reference", "=merchant__id")
    ordering = ("-created_at", "-id")
    export_fields = (
        "id",
        "merchant_id",
        "amount",
        "reference",
        "recorded_by__username",
        "created_at",
        "reversal__created_at",
        "reversal__reason",
    )

    @admin.display(description=gettext_lazy("reversed at"))
    def reversed_at(self, repayment: Repayment) -> str:
        return formats.moment(repayment.reversal.created_at) if _has_reversal(repayment) else formats.NOTHING

    @admin.display(description=gettext_lazy("reason of the reversal"))
    def reversal_reason(self, repayment: Repayment) -> str:
        return repayment.reversal.reason if _has_reversal(repayment) else formats.NOTHING


@admin.register(RepaymentReversal)
class RepaymentReversalAdmin(ReadOnlyAdmin):
    list_display = ("id", "repayment", "reason", "made_by", "created_at")
    list_select_related = ("repayment", "made_by")
    export_fields = ("id", "repayment_id", "reason", "made_by__username", "created_at")
