"""What the bank says that it booked, and what staff said of where it differs. Nothing here moves money."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from payments.formats import money
from payments.models.naming import named
from payments.models.withdrawal import Withdrawal


class BankStatement(models.Model):
    """One imported file, known by its digest; it covers the days from `period_from` to `period_to`, both inclusive."""

    id = models.UUIDField(primary_key=True, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    form = models.CharField(max_length=10)
    name = models.CharField(max_length=255)
    period_from = models.DateField()
    period_to = models.DateField()
    line_count = models.IntegerField()
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("bank statement"), _("bank statements")
        permissions: ClassVar = [("import_bankstatement", "Can import the bank's statements")]
        indexes: ClassVar = [models.Index(fields=["created_at", "id"], name="bank_statement_in_order")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(period_from__lte=F("period_to")), name="bank_statement_period")
        ]

    def __str__(self) -> str:
        return named(self)


class BankStatementLine(models.Model):
    """One booking, in the statement that told of it first.

    `amount` is what left the account, negative for what came in; `withdrawal_id` is what the reference names, there or
    not; of the other side's account there is a keyed fingerprint, as a withdrawal has, and a masked form, both "" where
    the bank does not say.
    """

    statement = models.ForeignKey(BankStatement, on_delete=models.PROTECT, related_name="lines")
    digest = models.CharField(max_length=64, unique=True)
    booked_on = models.DateField()
    bank_reference = models.CharField(max_length=140)
    reference = models.CharField(max_length=140)
    withdrawal_id = models.UUIDField(null=True, db_index=True)
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    account_fingerprint = models.CharField(max_length=64)
    account_masked = models.CharField(max_length=34)

    class Meta:
        verbose_name, verbose_name_plural = _("line of a bank statement"), _("lines of bank statements")
        indexes: ClassVar = [
            models.Index(fields=["reference"], name="bank_line_by_reference"),
            models.Index(fields=["bank_reference"], name="bank_line_by_bank_reference"),
        ]

    def __str__(self) -> str:
        return f"{named(self)} ({money(self.amount)})"


class StatementResolution(models.Model):
    """A difference that two people have explained: a line's, or a withdrawal's that no line tells of.

    `id` is its approval's. `facts` is what they saw of it (payments.bank_statements.selectors): one that has changed
    since is explained no more; "" in those that the version before made, which stay as they are.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    line = models.ForeignKey(BankStatementLine, on_delete=models.PROTECT, null=True, related_name="resolutions")
    withdrawal = models.ForeignKey(
        Withdrawal, on_delete=models.PROTECT, null=True, related_name="statement_resolutions", db_constraint=False
    )
    facts = models.CharField(max_length=100, default="", db_default="")
    reason = models.CharField(max_length=1000)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("explained difference"), _("explained differences")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(line__isnull=False, withdrawal=None) | Q(line=None, withdrawal__isnull=False),
                name="resolution_of_one",
            ),
            models.UniqueConstraint(fields=["line", "facts"], name="resolution_once_of_line"),
            models.UniqueConstraint(fields=["withdrawal", "facts"], name="resolution_once_of_withdrawal"),
        ]

    def __str__(self) -> str:
        return named(self)
