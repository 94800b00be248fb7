"""manage.py import_bank_statement: what the bank booked, compared with the withdrawals."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from core.environment import ENVIRONMENT
from etebar_common.problems import BankStatementInvalid
from payments.audit.services import Actor
from payments.bank_statements.selectors import DIFFERENCES, Kind, counts_of, differences_page
from payments.bank_statements.services import Imported, statement_import

MOST_NAMED = 100
# who may run commands in a pod is not known here
COMMAND = Actor(0, "command:import_bank_statement")


def day(text: str) -> date:
    """A day of `--from` or `--to`; raises ArgumentTypeError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"expected a day, YYYY-MM-DD, not {text!r}") from error


class Command(BaseCommand):
    help = (
        "Imports a bank statement (CSV or camt.053) once, and names what differs from the withdrawals: exits 1 when "
        "something does. Changes nothing in the books."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--from", dest="period_from", type=day, help="the first day that it covers")
        parser.add_argument("--to", dest="period_to", type=day, help="the last one (default: as the file says)")

    def handle(self, *_: Any, file: Path, **options: Any) -> None:
        period = {name: options[name] for name in ("period_from", "period_to")}
        try:
            with transaction.atomic(durable=True):
                imported = statement_import(content=self._content(file), name=file.name[:255], by=COMMAND, **period)
        except BankStatementInvalid as error:
            raise CommandError("\n".join(_sentences(error))) from error
        self._say(imported)
        if self._differences(imported):
            raise SystemExit(1)

    def _content(self, file: Path) -> bytes:
        """The file, or as much of it as shows that it is too large."""
        try:
            with file.open("rb") as opened:
                return opened.read(ENVIRONMENT.bank_statement_limit_bytes + 1)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}") from error

    def _say(self, imported: Imported) -> None:
        statement = imported.statement
        what = f"{imported.new_lines} new lines" if imported.is_new else "nothing new, it was imported before"
        self.stdout.write(f"statement {statement.pk} of {statement.period_from} to {statement.period_to}: {what}")
        counts = counts_of(statement.pk)
        self.stdout.write(", ".join(f"{counts[kind].found} {kind.value}" for kind in Kind))

    def _differences(self, imported: Imported) -> bool:
        """Names the open differences, the first ones if there are many; whether there are any."""
        named = differences_page(imported.statement.pk, kind=None, resolved=False, after="", limit=MOST_NAMED)
        for row in named:
            about = f"line {row['line_id']}" if row["line_id"] else f"withdrawal {row['withdrawal_id']}"
            amounts = f"booked {row['amount']}, withdrawn {row['expected']}"
            differs = f" ({row['differs']})" if row["differs"] else ""
            self.stderr.write(self.style.ERROR(f"{row['kind']}{differs}: {about} {row['reference']}: {amounts}"))
        counts = counts_of(imported.statement.pk)
        left = sum(counts[kind].found - counts[kind].resolved for kind in DIFFERENCES)
        if left > len(named):
            self.stderr.write(f"and {left - len(named)} more")
        return left > 0


def _sentences(error: BankStatementInvalid) -> list[str]:
    """What is wrong, a line for each place."""
    return [
        "nothing was imported:",
        *(f"  {each['field']}: {each['detail']}" for each in error.extensions["errors"]),
    ]
