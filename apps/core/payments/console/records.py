"""What is only looked at: the audit, checks of the books, requests, statements of the bank, objects, accounts."""

from uuid import UUID

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils.translation import gettext_lazy

from payments import models
from payments.console.read_only import ReadOnlyAdmin
from payments.console.searches import any_of, exactly, latest

# rows that are read for what has no index: a fraction of a second
MOST_SEARCHED = 200_000


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("username", "is_active", "is_staff", "is_superuser", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    search_fields = ("username",)
    fields = ("username", "is_active", "is_staff", "is_superuser", "groups", "date_joined", "last_login")


@admin.register(models.MerchantCredit)
class MerchantCreditAdmin(ReadOnlyAdmin):
    list_display = ("merchant", "credit_limit", "utilized_amount")
    list_select_related = ("merchant",)


@admin.register(models.ApiRequestLog)
class ApiRequestLogAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "method", "path", "status", "merchant_id", "duration_ms", "request_id")
    search_fields = ("=request_id", "=merchant_id")
    search_help_text = gettext_lazy("A request's id; or a merchant's, among the last 200,000 requests.")

    def search(self, term: str) -> Q:
        """A request by its id, and the latest of a merchant: no index of merchants is written with each request."""
        recent = latest(models.ApiRequestLog.objects.all(), MOST_SEARCHED, UUID(int=0))
        return exactly(self.model, "request_id", term) | (exactly(self.model, "merchant_id", term) & recent)


@admin.register(models.BooksCheck)
class BooksCheckAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "finished_at", "settlement_compared", "differences")


@admin.register(models.BankStatement)
class BankStatementAdmin(ReadOnlyAdmin):
    list_display = ("id", "form", "name", "period_from", "period_to", "line_count", "created_at")


@admin.register(models.BankStatementLine)
class BankStatementLineAdmin(ReadOnlyAdmin):
    list_display = ("id", "statement_id", "booked_on", "amount", "reference", "bank_reference")
    search_fields = ("=reference", "=bank_reference", "=withdrawal_id")
    export_fields = ("id", "statement_id", "booked_on", "amount", "reference", "bank_reference")


@admin.register(models.StatementResolution)
class StatementResolutionAdmin(ReadOnlyAdmin):
    list_display = ("id", "line_id", "withdrawal_id", "reason", "created_at")


@admin.register(models.AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "actor", "action", "merchant_id", "detail", "request_id")
    linked_by = ("merchant_id",)
    search_fields = ("=merchant_id", "=request_id", "=action", "actor")
    search_help_text = gettext_lazy(
        "A merchant's or a request's id; or an action or part of an actor, among the last 200,000 entries."
    )
    ordering = ("-id",)
    export_fields = ("id", "created_at", "actor", "user_id", "action", "merchant_id", "detail", "request_id")

    def search(self, term: str) -> Q:
        by_index = any_of(self.model, self.search_fields[:2], term)
        recent = latest(models.AuditEntry.objects.all(), MOST_SEARCHED, 0)
        return by_index | (any_of(self.model, self.search_fields[2:], term) & recent)


@admin.register(models.ManagedMerchant)
class ManagedMerchantAdmin(ReadOnlyAdmin):
    list_display = ("namespace", "name", "username", "merchant_id", "generation", "released_at")
    search_fields = ("namespace", "name", "username")
    # digests and hashes of passwords are nobody's to see
    exclude = ("password_digest", "password_hash")
