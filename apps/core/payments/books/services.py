"""Compares the books and keeps the result."""

import logging
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.utils import timezone

from payments.books import checks, settlement
from payments.models import BooksCheck
from payments.withdrawals.settlement_client import SettlementError, settlement_client

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BooksReport:
    """`differences` are sentences that begin with the invariant; `settlement_compared`: whether I5 could be checked."""

    differences: list[str]
    settlement_compared: bool


def verify_books(*, settled_since: datetime | None = None) -> BooksReport:
    """Checks I1-I6 and records the run; settlement's payouts since `settled_since`, or all. Logs each difference."""
    started_at = timezone.now()
    differences = checks.find_differences()
    try:
        # the comparison may find a difference for every row there is: the first ones tell enough
        found = islice(settlement.find_differences(settlement_client(), settled_since), checks.MOST_ROWS + 1)
        differences += checks.at_most(list(found), "I5")
        compared = True
    except SettlementError as error:
        differences.append(f"I5: could not be checked, settlement does not answer: {error}")
        compared = False
    for difference in differences:
        logger.error("books differ: %s", difference)
    BooksCheck.objects.create(
        started_at=started_at, finished_at=timezone.now(), settlement_compared=compared, differences=differences
    )
    return BooksReport(differences, compared)
