"""manage.py verify_books: compares the books (I1-I6) and exits 1 naming each difference."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from core.environment import ENVIRONMENT
from core.startup import first_line
from payments.books.services import verify_books
from payments.models import LedgerEntry, Withdrawal

MOST_HOURS = 1_000_000


def hours(text: str) -> int:
    """The number of `--hours`; raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_HOURS):
        raise ArgumentTypeError(f"expected a whole number from 1 to {MOST_HOURS}, not {text!r}")
    return int(text)


class Command(BaseCommand):
    help = "Compares core's books with themselves and with settlement's payouts; exits 1 naming each difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--hours", type=hours, help="compare settlement's payouts of the last HOURS only (default: all)"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        since = timezone.now() - timedelta(hours=options["hours"]) if options["hours"] is not None else None
        try:
            agree = self._report(verify_books(settled_since=since).differences)
        except (OperationalError, InterfaceError) as error:
            raise CommandError(
                f"the books were not compared: the database {ENVIRONMENT.database_url} is out of reach: "
                f"{first_line(error)}"
            ) from error
        if not agree:
            raise SystemExit(1)

    def _report(self, differences: list[str]) -> bool:
        for difference in differences:
            self.stderr.write(self.style.ERROR(difference))
        if differences:
            return False
        counts = f"{Withdrawal.objects.count()} withdrawals, {LedgerEntry.objects.count()} ledger entries"
        self.stdout.write(self.style.SUCCESS(f"The books agree (I1-I6): {counts}, settlement compared."))
        return True
