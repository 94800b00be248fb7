"""Reads the ledger."""

from django.db.models import QuerySet

from payments.models import LedgerEntry


def entries_of_merchant(merchant_id: int) -> QuerySet[LedgerEntry]:
    """The merchant's entries."""
    return LedgerEntry.objects.filter(account=LedgerEntry.Account.MERCHANT, account_id=merchant_id)
