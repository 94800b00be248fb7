"""What merchants' programs have: API keys, webhooks, and what was sent to each; nothing that lets anybody in."""

from django.contrib import admin
from django.db.models import Q

from payments import models
from payments.console.read_only import ReadOnlyAdmin
from payments.console.searches import NOTHING, exactly


@admin.register(models.ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("id", "merchant", "name", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at")
    list_select_related = ("merchant__user",)
    search_fields = ("=id", "=merchant__id")
    fields = (*list_display, "previous_until")


@admin.register(models.WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = ("id", "merchant", "url", "state", "failing_since", "created_at")
    list_filter = ("state",)
    list_select_related = ("merchant__user",)
    search_fields = ("=id", "=merchant__id", "url")
    fields = (*list_display, "description", "event_types", "state_reason", "previous_until")


@admin.register(models.WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("id", "endpoint", "type", "state", "attempts", "occurred_at", "next_attempt_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("endpoint",)
    search_fields = ("=event_id", "=withdrawal__id", "=endpoint__id")
    ordering = ("-id",)
    fields = (*list_display, "event_id", "withdrawal")

    def search(self, term: str) -> Q:
        """Events are found by an endpoint and their id, which are indexed together: an id is looked up at each."""
        of_withdrawal = exactly(self.model, "withdrawal__id", term)
        if of_withdrawal is NOTHING:
            return Q(endpoint__in=models.WebhookEndpoint.objects.all(), event_id=term)
        return of_withdrawal | exactly(self.model, "endpoint__id", term)


@admin.register(models.WebhookAttempt)
class WebhookAttemptAdmin(ReadOnlyAdmin):
    list_display = ("id", "delivery", "number", "status", "error", "duration_ms", "created_at")
    list_select_related = ("delivery",)
    search_fields = ("=delivery__id",)
    ordering = ("-id",)
