"""The pool: what it has, how that came about, and what staff add or ask to correct."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from payments.approvals.adjustments import adjustment_ask
from payments.audit.services import Actor
from payments.console.acts import Act, ActingAdmin, Text
from payments.console.charts import balance_chart
from payments.console.forms import AdjustmentForm, TopUpForm
from payments.console.read_only import ReadOnlyAdmin
from payments.models import CreditPool, PoolAdjustment, PoolTopUp
from payments.pool.services import pool_top_up

FUNDS = "payments.fund_creditpool"
ASKS = "payments.ask_approvalrequest"
RECENT = 20


def _top_up(_pool: CreditPool, fields: dict[str, Any], by: Actor) -> Text:
    pool_top_up(by=by, **fields)
    return gettext_lazy("The pool is topped up.")


def _ask_adjustment(_pool: CreditPool, fields: dict[str, Any], by: Actor) -> Text:
    adjustment_ask(by=by, **fields)
    return gettext_lazy("The adjustment is asked for: it waits for a second person.")


@admin.register(CreditPool)
class CreditPoolAdmin(ActingAdmin):
    acts = (
        Act("top-up", gettext_lazy("Top up"), FUNDS, _top_up, form=TopUpForm),
        Act("adjust", gettext_lazy("Ask for an adjustment"), ASKS, _ask_adjustment, form=AdjustmentForm, is_grave=True),
    )
    list_display = ("id", "available_amount", "funded_amount", "adjusted_amount", "repaid_amount")
    fields = ("available_amount", "funded_amount", "adjusted_amount", "repaid_amount")

    def panels(self, row: CreditPool, request: HttpRequest) -> dict[str, Any]:
        """What was available over time, and the last top-ups."""
        may = request.user.has_perm("payments.view_pooltopup")
        return {
            "charts": [chart for chart in [balance_chart(row)] if chart],
            "top_ups": PoolTopUp.objects.select_related("made_by").order_by("-id")[:RECENT] if may else (),
        }


@admin.register(PoolTopUp)
class PoolTopUpAdmin(ReadOnlyAdmin):
    list_display = ("id", "amount", "made_by", "created_at")
    list_select_related = ("made_by",)
    export_fields = ("id", "amount", "made_by__username", "namespace", "reference", "created_at")


@admin.register(PoolAdjustment)
class PoolAdjustmentAdmin(ReadOnlyAdmin):
    list_display = ("id", "amount", "reason", "asked_by", "decided_by", "created_at")
    list_select_related = ("asked_by", "decided_by")
    export_fields = ("id", "amount", "reason", "asked_by__username", "decided_by__username", "created_at")
