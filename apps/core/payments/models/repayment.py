"""What merchants pay back, and what of it was taken back again."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from payments.models.bank_statement import BankStatementLine
from payments.models.merchant import Merchant
from payments.models.naming import named


class Repayment(models.Model):
    """Money of a merchant that came in (docs/adr/0032): it lowers what the merchant uses and raises the pool.

    `reference` is the bank's, in its canonical form: it tells two payments from one that is recorded twice.
    `statement_line` is the booking that tells of it, if it was recorded from there. `number` counts those under the
    reference from 0: each but the last one was reversed, and the next took its place.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="repayments")
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    reference = models.CharField(max_length=140)
    number = models.IntegerField(default=0, db_default=0)
    statement_line = models.ForeignKey(
        BankStatementLine, on_delete=models.PROTECT, null=True, related_name="repayments"
    )
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("repayment"), _("repayments")
        indexes: ClassVar = [
            models.Index(fields=["created_at", "id"], name="repayment_in_order"),
            models.Index(Upper("reference"), name="repayment_by_reference"),
        ]
        permissions: ClassVar = [("record_repayment", "Can record and reverse repayments")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="repayment_positive"),
            models.CheckConstraint(condition=~Q(reference=""), name="repayment_reference_given"),
            models.UniqueConstraint(fields=["reference", "number"], name="repayment_once_by_reference"),
            models.UniqueConstraint(fields=["statement_line", "number"], name="repayment_once_by_line"),
        ]

    def __str__(self) -> str:
        return named(self)


class RepaymentReversal(models.Model):
    """A repayment that was none: a compensating entry takes it back, once; `id` is its ledger transaction's."""

    id = models.UUIDField(primary_key=True, editable=False)
    repayment = models.OneToOneField(Repayment, on_delete=models.PROTECT, related_name="reversal")
    reason = models.CharField(max_length=500)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("reversed repayment"), _("reversed repayments")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="reversal_reason_given"),
        ]

    def __str__(self) -> str:
        return named(self)
