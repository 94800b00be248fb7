"""manage.py verify_books: compares the books (I1-I6) and exits 1 naming each difference."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from payments.books.services import verify_books
from payments.models import LedgerEntry, Withdrawal


class Command(BaseCommand):
    help = "Compares core's books with themselves and with settlement's payouts; exits 1 naming each difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--hours", type=int, help="compare settlement's payouts of the last HOURS only (default: all)"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        since = timezone.now() - timedelta(hours=options["hours"]) if options["hours"] else None
        report = verify_books(settled_since=since)
        for difference in report.differences:
            self.stderr.write(self.style.ERROR(difference))
        if report.differences:
            raise SystemExit(1)
        counts = f"{Withdrawal.objects.count()} withdrawals, {LedgerEntry.objects.count()} ledger entries"
        self.stdout.write(self.style.SUCCESS(f"The books agree (I1-I6): {counts}, settlement compared."))
