"""Where merchants hear of their withdrawals, and what they were told (docs/adr/0033)."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.models.merchant import Merchant
from payments.models.naming import named
from payments.models.withdrawal import Withdrawal


class WebhookEndpoint(models.Model):
    """An address of a merchant's that events are sent to; `event_types` empty for all of them.

    `secret` signs, encrypted as account numbers are; `previous_secret` signs beside it until `previous_until`.
    `failing_since` is when the first of the failures was since the last success, or since nothing was waited for.
    """

    class State(models.TextChoices):
        ENABLED = "enabled"
        DISABLED = "disabled"
        DELETED = "deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="webhook_endpoints")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True, default="")
    event_types = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    secret = models.CharField(max_length=200)
    previous_secret = models.CharField(max_length=200, blank=True, default="")
    previous_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ENABLED)
    state_reason = models.CharField(max_length=200, blank=True, default="")
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("webhook"), _("webhooks")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=["enabled", "disabled", "deleted"]), name="webhook_state"),
            models.UniqueConstraint(
                fields=["merchant", "url"], condition=~Q(state="deleted"), name="webhook_once_by_url"
            ),
        ]

    def __str__(self) -> str:
        return named(self)


class WebhookDelivery(models.Model):
    """An event that an endpoint is to be told; the trigger on withdrawals writes it with the transition itself.

    `event_id` is the event's, the same however often it is sent and to how many. It is sent until it was taken
    (`delivered`) or there were too many attempts (`dead`).
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        DEAD = "dead"

    id = models.BigAutoField(primary_key=True)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    event_id = models.CharField(max_length=80)
    type = models.CharField(max_length=40)
    withdrawal = models.ForeignKey(
        Withdrawal, on_delete=models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False
    )
    occurred_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("webhook delivery"), _("webhook deliveries")
        indexes: ClassVar = [
            models.Index(fields=["endpoint", "next_attempt_at"], condition=Q(state="pending"), name="webhook_due"),
            models.Index(fields=["endpoint", "created_at", "id"], name="webhook_log"),
            models.Index(fields=["finished_at"], condition=~Q(state="pending"), name="webhook_finished"),
            models.Index(fields=["endpoint", "created_at", "id"], condition=Q(state="dead"), name="webhook_dead"),
            # ids are of their times, and so are deliveries: as the ledger's (0034)
            BrinIndex(
                fields=["withdrawal"],
                opclasses=["uuid_minmax_multi_ops"],
                autosummarize=True,
                name="webhook_of_withdrawal",
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_event_once"),
            models.CheckConstraint(
                condition=Q(state="pending", finished_at=None, next_attempt_at__isnull=False)
                | Q(state__in=["delivered", "dead"], finished_at__isnull=False, next_attempt_at=None),
                name="webhook_delivery_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{named(self)} ({gettext(self.get_state_display())})"


class WebhookAttempt(models.Model):
    """One attempt at a delivery: `status` is the answer's, or null and `error` says why there was none that counts."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="log")
    number = models.IntegerField()
    status = models.IntegerField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")
    duration_ms = models.IntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("webhook attempt"), _("webhook attempts")

    def __str__(self) -> str:
        return named(self)
