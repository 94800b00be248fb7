"""The double-entry ledger: what changed a balance, in order, for ever."""

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from payments.formats import money
from payments.models.naming import named
from payments.models.withdrawal import Withdrawal


class LedgerEntry(models.Model):
    """One side of a transaction: `amount` is signed, a transaction's entries sum to zero.

    `number` counts an account's entries from 1 without a gap, `balance_after` is the account's balance after this one.
    Rows are only ever added: triggers and grants refuse the rest.
    """

    class Account(models.TextChoices):
        POOL = "pool"
        MERCHANT = "merchant"
        FUNDING = "funding"
        ADJUSTMENT = "adjustment"

    class Kind(models.TextChoices):
        TOP_UP = "top_up"
        RESERVE = "reserve"
        RELEASE = "release"
        ADJUSTMENT = "adjustment"
        REPAYMENT = "repayment"
        REVERSAL = "reversal"

    transaction_id = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    account = models.CharField(max_length=10, choices=Account.choices)
    account_id = models.BigIntegerField()
    number = models.BigIntegerField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    balance_after = models.DecimalField(max_digits=20, decimal_places=2)
    withdrawal = models.ForeignKey(
        Withdrawal,
        on_delete=models.PROTECT,
        null=True,
        related_name="ledger_entries",
        db_index=False,
        db_constraint=False,
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("ledger entry"), _("ledger entries")
        # withdrawals' ids are of their times and entries come in that order, but for late releases: a few bytes for
        # thousands of rows tell where one's are. A B-tree would cost each withdrawal two insertions.
        indexes: ClassVar = [
            BrinIndex(
                fields=["withdrawal"],
                opclasses=["uuid_minmax_multi_ops"],
                autosummarize=True,
                name="ledger_of_withdrawal",
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "account_id", "number"], name="ledger_account_number"),
        ]

    def __str__(self) -> str:
        return f"{named(self)} ({gettext(self.get_account_display())}, {money(self.amount)})"
