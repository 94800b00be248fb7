"""manage.py recover_from_settlement: what a restored database lacks, made again from settlement's payouts."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments.recovery.services import recover, recover_dry
from payments.withdrawals.settlement_client import SettlementError


class Command(BaseCommand):
    help = (
        "Makes again, from settlement's payouts, the withdrawals that core lacks after it was restored to an older "
        "moment; pays nothing. Exits 1 while some are left, naming what must be put right first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")

    def handle(self, *_: Any, dry_run: bool, **__: Any) -> None:
        try:
            report = recover_dry() if dry_run else recover()
        except SettlementError as error:
            raise CommandError(f"settlement cannot be asked; what was recovered stays so: {error}") from error
        for found in report.found:
            self.stdout.write(str(found))
        for sentence in report.to_do():
            self.stderr.write(self.style.ERROR(sentence))
        done = "would be recovered" if dry_run else "recovered"
        self.stdout.write(f"{len(report.recovered)} withdrawals {done}, {len(report.left)} are left.")
        if report.left:
            raise SystemExit(1)
