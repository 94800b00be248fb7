"""What one person asks for and another decides."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from payments.models.merchant import Merchant


class ApprovalRequest(models.Model):
    """A credit limit above the threshold, asked for by `requested_by` and decided by somebody else.

    `requested_for` says on whose behalf it was asked: `staff:<username>` or `operator:<namespace>/<name>`. The database
    holds that the two differ, and that a decision is final.
    """

    class Kind(models.TextChoices):
        CREDIT_LIMIT = "credit_limit"

    class State(models.TextChoices):
        REQUESTED = "requested"
        APPROVED = "approved"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="approval_requests")
    credit_limit = models.DecimalField(max_digits=20, decimal_places=2)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    requested_for = models.CharField(max_length=400)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "created_at", "id"], name="approval_by_state")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=["credit_limit"]), name="approval_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=["approved", "refused"], decided_by__isnull=False, decided_at__isnull=False)
                | Q(state="withdrawn", decided_by__isnull=True, decided_at__isnull=False)
                | Q(state="requested", decided_by__isnull=True, decided_at__isnull=True),
                name="approval_state_whole",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")), name="approval_by_two_people"
            ),
            models.UniqueConstraint(
                fields=["merchant", "kind"], condition=Q(state="requested"), name="approval_one_open_of_merchant"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} ({self.state})"
