"""Merchants: who waits for a decision, and what each has, owes and did."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from payments.approvals.services import limit_set, open_request
from payments.audit.services import Actor
from payments.console.acts import VIEWS_REQUESTS, Act, ActingAdmin, Text
from payments.console.forms import LimitForm, OptionalReasonForm, RepaymentForm
from payments.formats import money
from payments.merchants import services
from payments.merchants.accounts import masked_account
from payments.merchants.representation import available_credit
from payments.models import LedgerEntry, Merchant, MerchantCredit, Withdrawal
from payments.repayments.services import canonical, repayment_last, repayment_record

DECIDES, RECORDS = "payments.decide_merchant", "payments.record_repayment"
RECENT = 20
State = Merchant.State


def _limited(service: Any, done: Text) -> Any:
    """Sets a limit, or asks for the second person whom it takes."""

    def run(merchant: Merchant, fields: dict[str, Any], by: Actor) -> Text:
        asked = limit_set(service, merchant_id=merchant.pk, by=by, **fields)
        return done if asked is None else _("This limit takes a second person: nothing has changed yet.")

    return run


def _decided(service: Any, done: Text) -> Any:
    def run(merchant: Merchant, fields: dict[str, Any], by: Actor) -> Text:
        service(merchant_id=merchant.pk, by=by, **fields)
        return done

    return run


def _repaid(merchant: Merchant, fields: dict[str, Any], by: Actor) -> Text:
    before = repayment_last(canonical(fields["reference"])) if fields.pop("anew") else None
    repayment_record(merchant_id=merchant.pk, by=by, replaces=before.pk if before else None, **fields)
    return gettext_lazy("The repayment is recorded.")


def _when(*states: str) -> Any:
    return lambda merchant, _request: merchant.state in states


ACTS = (
    Act(
        "approve",
        pgettext_lazy("act", "Approve"),
        DECIDES,
        _limited(services.merchant_approve, gettext_lazy("The merchant is approved and may withdraw.")),
        form=LimitForm,
        is_offered=_when(State.PENDING),
    ),
    Act(
        "refuse",
        pgettext_lazy("act", "Refuse"),
        DECIDES,
        _decided(services.merchant_refuse, gettext_lazy("The merchant is refused.")),
        form=OptionalReasonForm,
        is_offered=_when(State.PENDING),
        is_grave=True,
    ),
    Act(
        "limit",
        gettext_lazy("Change the limit"),
        DECIDES,
        _limited(services.credit_limit_change, gettext_lazy("The limit is changed.")),
        form=LimitForm,
        is_offered=_when(State.APPROVED, State.SUSPENDED),
    ),
    Act(
        "repayment",
        gettext_lazy("Record a repayment"),
        RECORDS,
        _repaid,
        form=RepaymentForm,
        is_offered=_when(State.APPROVED, State.SUSPENDED),
    ),
    Act(
        "suspend",
        gettext_lazy("Suspend"),
        DECIDES,
        _decided(services.merchant_suspend, gettext_lazy("The merchant withdraws no more.")),
        form=OptionalReasonForm,
        is_offered=_when(State.APPROVED),
        is_grave=True,
    ),
    Act(
        "reinstate",
        gettext_lazy("Reinstate"),
        DECIDES,
        _decided(services.merchant_reinstate, gettext_lazy("The merchant may withdraw again.")),
        is_offered=_when(State.SUSPENDED),
    ),
)


@admin.register(Merchant)
class MerchantAdmin(ActingAdmin):
    acts = ACTS
    list_display = ("id", "username", "state", "requested_credit", "limit", "used", "created_at")
    list_display_links = ("id", "username")
    list_filter = ("state",)
    search_fields = ("user__username", "=id")
    list_select_related = ("user", "credit")
    ordering = ("-id",)
    fields = ("username", "state", "state_reason", "state_changed_at", "requested_credit", "account", "created_at")
    readonly_fields = ("username", "account")
    export_fields = (
        "id",
        "user__username",
        "state",
        "requested_credit",
        "credit__credit_limit",
        "credit__utilized_amount",
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Merchant]:
        return super().get_queryset(request).select_related("user", "credit")

    @admin.display(description=gettext_lazy("username"), ordering="user__username")
    def username(self, merchant: Merchant) -> str:
        return merchant.user.get_username()

    @admin.display(description=gettext_lazy("limit"), ordering="credit__credit_limit")
    def limit(self, merchant: Merchant) -> str:
        credit = getattr(merchant, "credit", None)
        return money(credit.credit_limit if credit else None)

    @admin.display(description=gettext_lazy("used"), ordering="credit__utilized_amount")
    def used(self, merchant: Merchant) -> str:
        credit = getattr(merchant, "credit", None)
        return money(credit.utilized_amount if credit else None)

    @admin.display(description=gettext_lazy("bank account"))
    def account(self, merchant: Merchant) -> str:
        return masked_account(merchant)

    def audit_url(self, row: Merchant, request: HttpRequest) -> str:
        may = request.user.has_perm("payments.view_auditentry")
        return f"{reverse('admin:payments_auditentry_changelist')}?merchant_id={row.pk}" if may else ""

    def panels(self, row: Merchant, request: HttpRequest) -> dict[str, Any]:
        """The credit, what moved last, and the limit that waits for somebody."""
        credit: MerchantCredit | None = getattr(row, "credit", None)
        pending = Withdrawal.objects.filter(merchant=row, state=Withdrawal.State.PENDING).aggregate(sum=Sum("amount"))
        entries = LedgerEntry.objects.filter(account=LedgerEntry.Account.MERCHANT, account_id=row.pk)
        return {
            "credit": credit,
            "available": available_credit(credit) if credit else None,
            "pending": pending["sum"] or Decimal(0),
            "withdrawals": Withdrawal.objects.filter(merchant=row).order_by("-created_at", "-id")[:RECENT],
            "entries": entries.order_by("-number")[:RECENT],
            "asked": open_request(row) if request.user.has_perm(VIEWS_REQUESTS) else None,
        }
