"""How account numbers are stored (docs/adr/0030)."""

import logging
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from core.account_cipher import cipher, number_of
from core.cipher import Unreadable
from core.environment import ENVIRONMENT
from etebar_common.bank_account import mask_account
from etebar_common.fingerprint import account_fingerprint
from payments.models import Merchant, WalletAccount

BATCH_ROWS = 500
Row = Merchant | WalletAccount

logger = logging.getLogger(__name__)


def stored_account(number: str) -> dict[str, str]:
    """The columns of an account number: encrypted, and in clear while the version before may have to read it."""
    in_clear = number if ENVIRONMENT.accounts_also_in_clear else ""
    return {"bank_account": in_clear, "account_encrypted": cipher().encrypt(number)}


def masked_account(row: Row) -> str:
    """The account number with its last digits; "?" for one that cannot be read, which is no reason to show nothing."""
    try:
        return mask_account(row.account_number)
    except Unreadable as error:
        logger.error("%s: %s", row, error)  # noqa: TRY400 - the message says it all
        return "?"


def fingerprint_of(number: str) -> str:
    """The keyed fingerprint that settlement knows as well."""
    return account_fingerprint(number, ENVIRONMENT.account_fingerprint_key.get_secret_value().encode())


def accounts_reencrypt() -> int:
    """Encrypts with the current key what is not encrypted, or with another one; how many rows that were."""
    return sum(_reencrypted(row) for row in _rows())


def accounts_drop_clear() -> int:
    """Empties the columns in clear; how many. Raises ValueError where what is encrypted is another number."""
    return sum(_dropped(row) for row in _rows())


def _rows() -> Iterator[Row]:
    for model in (Merchant, WalletAccount):
        yield from model.objects.order_by("pk").iterator(BATCH_ROWS)


def _reencrypted(row: Row) -> bool:
    before = row.account_encrypted
    if cipher().is_current(before):
        return False
    # a row that was written meanwhile is not overwritten
    rows: Any = type(row).objects
    found = rows.filter(pk=row.pk, account_encrypted=before)
    return bool(found.update(account_encrypted=cipher().encrypt(row.account_number)))


@transaction.atomic
def _dropped(row: Row) -> bool:
    if not row.bank_account:
        return False
    number = number_of(row.account_encrypted) if row.account_encrypted else ""
    if number != row.bank_account or (isinstance(row, WalletAccount) and fingerprint_of(number) != row.fingerprint):
        raise ValueError(f"{row} has another account number encrypted than in clear, or none")
    rows: Any = type(row).objects
    found = rows.filter(pk=row.pk, account_encrypted=row.account_encrypted)
    return bool(found.update(bank_account=""))
