"""The admin shows everything and edits nothing: services move money, commands make accounts of staff."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from etebar_common.bank_account import mask_account
from payments import models

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:  # generic for the type checker only
    _ModelAdmin = admin.ModelAdmin

# simplejwt's pages show refresh tokens: whoever reads one could act as its merchant
admin.site.unregister([OutstandingToken, BlacklistedToken])
# and whoever could make an account here, or set another one's password, would be two people (ADR 0018)
admin.site.unregister([User, Group])
# and this one shows the secrets of second factors
admin.site.unregister(TOTPDevice)


class ReadOnlyAdmin(_ModelAdmin):
    """Lists and shows rows."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the signature of ModelAdmin
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("username", "is_active", "is_staff", "is_superuser", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username",)
    exclude = ("password", "groups", "user_permissions")


@admin.register(models.Merchant)
class MerchantAdmin(ReadOnlyAdmin):
    list_display = ("id", "user", "state", "requested_credit", "created_at")
    list_filter = ("state",)
    search_fields = ("user__username",)
    list_select_related = ("user",)
    exclude = ("bank_account", "account_encrypted")
    readonly_fields = ("account",)

    @admin.display(description="bank account")
    def account(self, merchant: models.Merchant) -> str:
        return mask_account(merchant.account_number)


@admin.register(models.MerchantCredit)
class MerchantCreditAdmin(ReadOnlyAdmin):
    list_display = ("merchant", "credit_limit", "utilized_amount")
    list_select_related = ("merchant",)


@admin.register(models.CreditPool)
class CreditPoolAdmin(ReadOnlyAdmin):
    list_display = ("id", "available_amount", "funded_amount", "adjusted_amount")


@admin.register(models.PoolTopUp)
class PoolTopUpAdmin(ReadOnlyAdmin):
    list_display = ("id", "amount", "made_by", "created_at")
    list_select_related = ("made_by",)


@admin.register(models.PoolAdjustment)
class PoolAdjustmentAdmin(ReadOnlyAdmin):
    list_display = ("id", "amount", "reason", "asked_by", "decided_by", "created_at")
    list_select_related = ("asked_by", "decided_by")


@admin.register(models.Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    list_display = ("id", "merchant_id", "amount", "state", "failure_code", "created_at", "overdue_since")
    list_filter = ("state", ("overdue_since", admin.EmptyFieldListFilter))
    show_full_result_count = False


@admin.register(models.LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("account", "account_id", "number", "kind", "amount", "balance_after", "created_at")
    list_filter = ("account", "kind")
    show_full_result_count = False


@admin.register(models.ApiRequestLog)
class ApiRequestLogAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "method", "path", "status", "merchant_id", "duration_ms", "request_id")
    show_full_result_count = False


@admin.register(models.BooksCheck)
class BooksCheckAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "finished_at", "settlement_compared", "differences")


@admin.register(models.ApprovalRequest)
class ApprovalRequestAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "state", "requested_for", "decided_by", "created_at")
    list_filter = ("kind", "state")
    list_select_related = ("decided_by",)


@admin.register(models.OutcomeDecision)
class OutcomeDecisionAdmin(ReadOnlyAdmin):
    list_display = ("approval_id", "withdrawal_id", "outcome", "result", "created_at", "ended_at")
    list_filter = ("outcome", "result")


@admin.register(models.BankStatement)
class BankStatementAdmin(ReadOnlyAdmin):
    list_display = ("id", "form", "name", "period_from", "period_to", "line_count", "created_at")


@admin.register(models.BankStatementLine)
class BankStatementLineAdmin(ReadOnlyAdmin):
    list_display = ("id", "statement_id", "booked_on", "amount", "reference", "bank_reference")
    show_full_result_count = False


@admin.register(models.StatementResolution)
class StatementResolutionAdmin(ReadOnlyAdmin):
    list_display = ("id", "line_id", "withdrawal_id", "reason", "created_at")


@admin.register(models.AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "action", "merchant_id", "request_id")
    list_filter = ("action",)
    show_full_result_count = False


@admin.register(models.ManagedMerchant)
class ManagedMerchantAdmin(ReadOnlyAdmin):
    list_display = ("namespace", "name", "username", "merchant_id", "generation", "released_at")
    search_fields = ("namespace", "name", "username")
    # digests and hashes of passwords are nobody's to see
    exclude = ("password_digest", "password_hash")
