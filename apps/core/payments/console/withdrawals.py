"""Withdrawals: each with what is known of it; those whose outcome nobody could tell are ended by two people."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from payments.approvals.outcomes import outcome_ask
from payments.audit.services import Actor
from payments.console.acts import VIEWS_REQUESTS, Act, ActingAdmin, Text
from payments.console.forms import OutcomeForm
from payments.console.lists import EmptyFilter
from payments.console.pool import ASKS
from payments.console.read_only import ReadOnlyAdmin
from payments.models import LedgerEntry, OutcomeDecision, Withdrawal

MOST_ATTEMPTS = 50


def _ask_outcome(withdrawal: Withdrawal, fields: dict[str, Any], by: Actor) -> Text:
    outcome_ask(withdrawal_id=withdrawal.pk, by=by, **fields)
    return gettext_lazy("The outcome is asked for: it waits for a second person.")


def _is_unknown(withdrawal: Withdrawal, _request: HttpRequest) -> bool:
    undecided = not OutcomeDecision.objects.filter(withdrawal=withdrawal).exists()
    return withdrawal.state == Withdrawal.State.PENDING and withdrawal.overdue_since is not None and undecided


@admin.register(Withdrawal)
class WithdrawalAdmin(ActingAdmin):
    acts = (
        Act(
            "outcome",
            gettext_lazy("Ask to decide the outcome"),
            ASKS,
            _ask_outcome,
            form=OutcomeForm,
            is_offered=_is_unknown,
            is_grave=True,
        ),
    )
    list_display = ("id", "merchant_id", "amount", "state", "failure_code", "created_at", "overdue_since")
    list_filter = ("state", ("overdue_since", EmptyFilter))
    linked_by = ("merchant",)
    search_fields = ("=id", "=merchant__id")
    ordering = ("-created_at", "-id")
    fields = (
        "id",
        "merchant",
        "amount",
        "state",
        "failure_code",
        "accepted_limit",
        "created_at",
        "finalized_at",
        "attempts",
        "next_attempt_at",
        "overdue_since",
    )
    export_fields = ("id", "merchant_id", "amount", "state", "failure_code", "created_at", "finalized_at")

    def panels(self, row: Withdrawal, request: HttpRequest) -> dict[str, Any]:
        """What settlement answered each time, what was booked, and what people asked and decided."""
        asked = row.approval_requests.select_related("requested_by", "decided_by").order_by("-created_at")
        return {
            "attempts": row.dispatch_attempts.order_by("-number")[:MOST_ATTEMPTS],
            "entries": row.ledger_entries.order_by("id"),
            "approvals": asked if request.user.has_perm(VIEWS_REQUESTS) else (),
        }


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("account", "account_id", "number", "kind", "amount", "balance_after", "created_at")
    list_filter = ("account", "kind")
    search_fields = ("=account_id",)

    def search(self, term: str) -> Q:
        """The index of accounts begins with which kind each is."""
        return Q(account__in=LedgerEntry.Account.values) & super().search(term)

    export_fields = (
        "id",
        "transaction_id",
        "kind",
        "account",
        "account_id",
        "number",
        "amount",
        "balance_after",
        "withdrawal_id",
        "created_at",
    )


@admin.register(OutcomeDecision)
class OutcomeDecisionAdmin(ReadOnlyAdmin):
    list_display = ("approval_id", "withdrawal_id", "outcome", "result", "created_at", "ended_at")
    list_filter = ("outcome", "result")
