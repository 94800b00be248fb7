"""manage.py reencrypt_accounts: account numbers and webhooks' secrets under the current key (docs/adr/0030)."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.environment import ENVIRONMENT
from payments.merchants.accounts import accounts_drop_clear, accounts_reencrypt
from payments.webhooks.endpoints import secrets_reencrypt


class Command(BaseCommand):
    help = (
        "Encrypts account numbers and webhooks' secrets with ACCOUNT_ENCRYPTION_KEY; with --drop-clear, empties the"
        " unencrypted columns of the former."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--drop-clear", action="store_true", help="when no pod of the version before runs any more")

    def handle(self, *_: Any, drop_clear: bool, **__: Any) -> None:
        if drop_clear and ENVIRONMENT.accounts_also_in_clear:
            raise CommandError("ACCOUNTS_ALSO_IN_CLEAR is on: what is written from now on would be in clear again")
        self.stdout.write(f"encrypted: {accounts_reencrypt()}")
        self.stdout.write(f"secrets of webhooks: {secrets_reencrypt()}")
        if drop_clear:
            try:
                self.stdout.write(f"emptied: {accounts_drop_clear()}")
            except ValueError as error:
                raise CommandError(str(error)) from error
