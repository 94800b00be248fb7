"""The two balances that a withdrawal changes: the merchant's used credit and the pool behind all limits."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.models.merchant import Merchant
from payments.models.naming import named

POOL_ID = 1


class MerchantCredit(models.Model):
    """A merchant's limit and what of it is used; `ledger_number` is the number of its last ledger entry."""

    merchant = models.OneToOneField(Merchant, on_delete=models.PROTECT, related_name="credit")
    credit_limit = models.DecimalField(max_digits=20, decimal_places=2)
    utilized_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    ledger_number = models.BigIntegerField(default=0)

    class Meta:
        verbose_name, verbose_name_plural = _("merchant's credit"), _("merchants' credit")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(credit_limit__gte=0), name="credit_limit_not_negative"),
            models.CheckConstraint(condition=Q(utilized_amount__gte=0), name="utilized_not_negative"),
        ]

    def __str__(self) -> str:
        return named(self)


class CreditPool(models.Model):
    """The one shared pool (id 1), and its counter-accounts: what came in from outside, and what was corrected."""

    available_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    ledger_number = models.BigIntegerField(default=0)
    funded_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0)
    funding_ledger_number = models.BigIntegerField(default=0)
    # signed: the sum of all adjustments
    adjusted_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0, db_default=0)
    adjustment_ledger_number = models.BigIntegerField(default=0, db_default=0)
    # all repayments less those that were reversed; their other side is what merchants use
    repaid_amount = models.DecimalField(max_digits=20, decimal_places=2, default=0, db_default=0)

    class Meta:
        verbose_name, verbose_name_plural = _("credit pool"), _("credit pool")
        permissions: ClassVar = [("fund_creditpool", "Can top the pool up")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(available_amount__gte=0), name="pool_not_negative"),
            models.CheckConstraint(condition=Q(repaid_amount__gte=0), name="pool_repaid_not_negative"),
            models.CheckConstraint(condition=Q(id=POOL_ID), name="pool_is_one"),
        ]

    def __str__(self) -> str:
        return gettext("credit pool")


class PoolTopUp(models.Model):
    """Money that staff added to the pool, or a Kubernetes object (`namespace` and `reference`, once for each)."""

    id = models.UUIDField(primary_key=True, editable=False)
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    namespace = models.CharField(max_length=63, null=True)
    reference = models.CharField(max_length=128, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("top-up"), _("top-ups")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="top_up_positive"),
            models.UniqueConstraint(fields=["namespace", "reference"], name="top_up_once_by_reference"),
        ]

    def __str__(self) -> str:
        return named(self)


class PoolAdjustment(models.Model):
    """A correction of the pool that two people made: `amount` is signed, `reason` says why. `id` is its approval's."""

    id = models.UUIDField(primary_key=True, editable=False)
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    reason = models.CharField(max_length=1000)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("adjustment of the pool"), _("adjustments of the pool")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(amount=0), name="adjustment_not_zero"),
            models.CheckConstraint(condition=~Q(reason=""), name="adjustment_reason_given"),
            models.CheckConstraint(condition=~Q(asked_by=F("decided_by")), name="adjustment_by_two_people"),
        ]

    def __str__(self) -> str:
        return named(self)
