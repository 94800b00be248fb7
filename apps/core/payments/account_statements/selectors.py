"""Reads statements from the ledger and the audit, as one moment sees them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet, Sum

from core.environment import ENVIRONMENT
from etebar_common.problems import StatementTooLong
from payments.ledger.selectors import entries_of_merchant
from payments.models import AuditEntry, LedgerEntry

# of what is whole in memory; the CSV file is read in pages
MOST_ENTRIES = 10_000
# fifty sheets: who reads more, reads it by a program
MOST_PRINTED_ENTRIES = 2000
PAGE_ENTRIES = 2000
ZERO = Decimal(0)
# no statement is of others, and dates of others are more than databases and time zones can take
YEARS = range(2000, 9999)
MONTHS = range(1, 13)
# what the audit calls a change of a limit, and where it says the new one
LIMITS = {"merchant_approved": "credit_limit", "credit_limit_changed": "after"}


@dataclass(frozen=True, slots=True)
class Period:
    """Days, both inclusive, in the calendar's time zone."""

    first: date
    last: date

    @classmethod
    def month(cls, year: int, month: int) -> "Period":
        """A month; raises ValueError when there is none of that number in those years."""
        if year not in YEARS or month not in MONTHS:
            message = f"expected a year from {YEARS[0]} to {YEARS[-1]}, and a month of it"
            raise ValueError(message)
        first = date(year, month, 1)
        return cls(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    @property
    def begin(self) -> datetime:
        return datetime.combine(self.first, time.min, time_zone())

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time.min, time_zone())


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A limit that was set."""

    at: datetime
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """`opening` and `closing` are what was used: opening and all entries' amounts make closing.

    `limits` are those set within the period; `opening_limit` is the one before, None before approval.
    """

    merchant_id: int
    period: Period
    opening: Decimal
    entries: Sequence[LedgerEntry]
    opening_limit: Decimal | None
    limits: Sequence[LimitChange]

    @property
    def closing(self) -> Decimal:
        return self.opening + sum((entry.amount for entry in self.entries), ZERO)

    @property
    def closing_limit(self) -> Decimal | None:
        return self.limits[-1].limit if self.limits else self.opening_limit

    @property
    def totals(self) -> dict[str, tuple[int, Decimal]]:
        """By kind: how many entries, and their sum."""
        found: dict[str, tuple[int, Decimal]] = defaultdict(lambda: (0, ZERO))
        for entry in self.entries:
            count, amount = found[entry.kind]
            found[entry.kind] = (count + 1, amount + entry.amount)
        return dict(found)


def time_zone() -> ZoneInfo:
    """Where days begin and end."""
    return ZoneInfo(ENVIRONMENT.calendar_time_zone)


@transaction.atomic(durable=True)
def statement_get(merchant_id: int, period: Period, most: int) -> Statement:
    """The statement; raises StatementTooLong when it has more than `most` entries."""
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    entries = list(_within(merchant_id, period)[: most + 1])
    if len(entries) > most:
        raise StatementTooLong(f"there are more than {most} entries: take a shorter time, or `form=csv`")
    before, within = _limits(merchant_id, period)
    return Statement(merchant_id, period, opening_of(merchant_id, period), entries, before, within)


def entries_in_pages(merchant_id: int, period: Period, opening: Decimal) -> Iterator[tuple[Decimal, LedgerEntry]]:
    """Every entry of the period in its order, with what is used after it, counted from the opening."""
    used, number = opening, 0
    while page := list(_within(merchant_id, period).filter(number__gt=number)[:PAGE_ENTRIES]):
        for entry in page:
            used += entry.amount
            yield used, entry
        number = page[-1].number


def _within(merchant_id: int, period: Period) -> QuerySet[LedgerEntry]:
    found = entries_of_merchant(merchant_id).filter(created_at__gte=period.begin, created_at__lt=period.end)
    return found.order_by("number")


def opening_of(merchant_id: int, period: Period) -> Decimal:
    """What was used before the period."""
    # a sum and not the last balance: the order of entries is their number's, a day's is their time's
    before = entries_of_merchant(merchant_id).filter(created_at__lt=period.begin)
    return before.aggregate(sum=Sum("amount"))["sum"] or ZERO


def _limits(merchant_id: int, period: Period) -> tuple[Decimal | None, list[LimitChange]]:
    set_so_far = AuditEntry.objects.filter(
        merchant_id=merchant_id, action__in=LIMITS, created_at__lt=period.end
    ).order_by("pk")
    changes = [LimitChange(each.created_at, _limit_of(each)) for each in set_so_far]
    before = [change.limit for change in changes if change.at < period.begin]
    return (before[-1] if before else None), [change for change in changes if change.at >= period.begin]


def _limit_of(entry: AuditEntry) -> Decimal:
    detail: Any = entry.detail
    return Decimal(detail[LIMITS[entry.action]])
