"""A withdrawal and what was tried to learn its outcome."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.formats import code
from payments.models.merchant import Merchant, WalletAccount


class Withdrawal(models.Model):
    """`pending` (funds reserved, outcome not known), then `settled` or `failed` (funds released), for ever."""

    class State(models.TextChoices):
        PENDING = "pending"
        SETTLED = "settled"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, editable=False)
    merchant = models.ForeignKey(
        Merchant, on_delete=models.PROTECT, related_name="withdrawals", db_index=False, db_constraint=False
    )
    wallet_account = models.ForeignKey(
        WalletAccount, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    state = models.CharField(max_length=7, choices=State.choices, default=State.PENDING)
    accepted_limit = models.DecimalField(max_digits=20, decimal_places=2)
    account_fingerprint = models.CharField(max_length=64)
    failure_code = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()
    finalized_at = models.DateTimeField(null=True)
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    overdue_since = models.DateTimeField(null=True)
    # the W3C traceparent of the request, if it is recorded; no part of the books
    trace_parent = models.CharField(max_length=55, null=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("withdrawal"), _("withdrawals")
        indexes: ClassVar = [
            models.Index(fields=["merchant", "created_at", "id"], name="withdrawal_of_merchant"),
            models.Index(fields=["created_at", "id"], name="withdrawal_in_order"),
            models.Index(fields=["next_attempt_at"], condition=Q(state="pending"), name="withdrawal_to_dispatch"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="withdrawal_positive"),
            models.CheckConstraint(
                condition=Q(state="pending", finalized_at=None, next_attempt_at__isnull=False)
                | Q(state__in=["settled", "failed"], finalized_at__isnull=False, next_attempt_at=None),
                name="withdrawal_state_whole",
            ),
            models.CheckConstraint(
                condition=Q(failure_code="") | Q(state="failed"), name="withdrawal_failure_code_of_failed"
            ),
        ]

    def __str__(self) -> str:
        about = {"id": code(self.pk), "state": gettext(self.get_state_display())}
        return gettext("withdrawal %(id)s (%(state)s)") % about


class DispatchAttempt(models.Model):
    """One question of the dispatcher to settlement, and what came back."""

    withdrawal = models.ForeignKey(Withdrawal, on_delete=models.PROTECT, related_name="dispatch_attempts")
    number = models.IntegerField()
    outcome = models.CharField(max_length=10)
    detail = models.CharField(max_length=500, blank=True, default="")
    duration_ms = models.IntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"attempt {self.number} for {self.withdrawal_id}: {self.outcome}"
