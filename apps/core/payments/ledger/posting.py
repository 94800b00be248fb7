"""Writes ledger transactions that Python makes; the money functions post theirs by themselves."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from payments.ledger.arithmetic import Posting
from payments.models import LedgerEntry

# by account: the number of its entry, and its balance after it
After = Mapping[str, tuple[int, Decimal]]


def post(transaction_id: UUID, kind: LedgerEntry.Kind, postings: Iterable[Posting], after: After) -> None:
    """Adds the entries of a transaction that the accounts' rows, as they are after it, already tell."""
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            transaction_id=transaction_id,
            kind=kind,
            account=posting.account,
            account_id=posting.account_id,
            number=after[posting.account][0],
            amount=posting.amount,
            balance_after=after[posting.account][1],
            created_at=timezone.now(),
        )
        for posting in postings
    )
