"""What both databases hold, in the judge's words: read by an auditor's role, or from an export of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psycopg2

from etebar_verify.errors import UnusableInputError


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A row of core's books; `key` is None if no idempotency key names it. Amounts are decimal text, here and below."""

    id: str
    key: str | None
    merchant: int
    amount: str
    state: str
    accepted_limit: str = "Infinity"
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """A row of settlement's payouts, or of the sandbox bank's transfers; without a payout `merchant` is None.

    `by_people`: two people decided how it ended, because the bank could not tell. `is_test`: it was asked for by hand,
    without a withdrawal, to try the sandbox's bank. A transfer's fingerprint is its payout's, if the bank paid to the
    account that the payout shows.
    """

    withdrawal: str
    amount: str
    state: str
    merchant: int | None = None
    fingerprint: str | None = None
    by_people: bool = False
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the ledger; `number` counts the entries of its account from 1."""

    transaction: str
    kind: str
    account: str
    account_id: int
    number: int
    amount: str
    balance_after: str
    withdrawal: str | None


@dataclass(frozen=True, slots=True)
class Balance:
    """Where an account of the ledger stands: the number of its last entry, and the balance after it."""

    account: str
    account_id: int
    number: int
    amount: str


@dataclass(frozen=True, slots=True)
class Repayment:
    """What a merchant paid back; `reversal` is the id of what took it back, None while nothing has."""

    id: str
    merchant: int
    amount: str
    reversal: str | None = None


@dataclass(frozen=True, slots=True)
class Books:
    withdrawals: Sequence[Withdrawal]
    payouts: Sequence[Payment]
    transfers: Sequence[Payment]
    entries: Sequence[Entry] = ()
    balances: Sequence[Balance] = ()
    repayments: Sequence[Repayment] = ()


WITHDRAWALS = """SELECT w.id::text, k.key, w.merchant_id, w.amount::text, w.state, w.accepted_limit::text,
        w.account_fingerprint
    FROM payments_withdrawal w LEFT JOIN payments_idempotencykey k ON k.withdrawal_id = w.id"""
ENTRIES = """SELECT e.transaction_id::text, e.kind, e.account, e.account_id, e.number, e.amount::text,
        e.balance_after::text, e.withdrawal_id::text
    FROM payments_ledgerentry e"""
BALANCES = """SELECT 'pool', id, ledger_number, available_amount::text FROM payments_creditpool
    UNION ALL SELECT 'funding', id, funding_ledger_number, (-funded_amount)::text FROM payments_creditpool
    UNION ALL SELECT 'adjustment', id, adjustment_ledger_number, (-adjusted_amount)::text FROM payments_creditpool
    UNION ALL SELECT 'merchant', merchant_id, ledger_number, utilized_amount::text FROM payments_merchantcredit"""
REPAYMENTS = """SELECT r.id::text, r.merchant_id, r.amount::text, v.id::text
    FROM payments_repayment r LEFT JOIN payments_repaymentreversal v ON v.repayment_id = r.id"""
PAYOUTS = """SELECT withdrawal_id::text, amount::text, state, merchant_id, account_fingerprint,
        evidence IS NOT NULL, direct_test
    FROM payouts"""
# what settlement shows of an account: its country, stars and the last four characters
_MASKED = "left(t.account, 2) || repeat('*', greatest(length(t.account) - 6, 4)) || right(t.account, 4)"
TRANSFERS = f"""SELECT t.reference, t.amount::text, t.state, p.merchant_id,
        CASE WHEN p.account_masked = {_MASKED} THEN p.account_fingerprint END,
        false, coalesce(p.direct_test, false)
    FROM sandbox_transfers t LEFT JOIN payouts p ON p.reference = t.reference"""  # noqa: S608 - a constant

_KINDS: Mapping[str, type[Any]] = {
    "withdrawals": Withdrawal,
    "entries": Entry,
    "balances": Balance,
    "repayments": Repayment,
    "payouts": Payment,
    "transfers": Payment,
}
_OF_CORE = {"withdrawals": WITHDRAWALS, "entries": ENTRIES, "balances": BALANCES, "repayments": REPAYMENTS}
_OF_SETTLEMENT = {"payouts": PAYOUTS, "transfers": TRANSFERS}
_OF_MERCHANTS = "e.account = 'merchant' AND e.account_id = ANY(%(merchants)s)"
# the same of some merchants, whose numbers are the parameter; both sides of their ledger transactions
_MERCHANTS_OF_CORE = {
    "withdrawals": f"{WITHDRAWALS} WHERE w.merchant_id = ANY(%(merchants)s)",
    # joined, and not one OR with a subquery: that is looked through again for each entry when it is large
    "entries": f"""{ENTRIES} WHERE {_OF_MERCHANTS}
        UNION ALL {ENTRIES} JOIN payments_withdrawal w ON w.id = e.withdrawal_id
        WHERE w.merchant_id = ANY(%(merchants)s) AND NOT ({_OF_MERCHANTS})""",
    "balances": """SELECT 'merchant', merchant_id, ledger_number, utilized_amount::text
        FROM payments_merchantcredit WHERE merchant_id = ANY(%(merchants)s)""",
    "repayments": f"{REPAYMENTS} WHERE r.merchant_id = ANY(%(merchants)s)",
}
_MERCHANTS_OF_SETTLEMENT = {
    "payouts": f"{PAYOUTS} WHERE merchant_id = ANY(%(merchants)s)",
    # one without a payout is nobody's, and nothing that may be there
    "transfers": f"""{TRANSFERS} WHERE p.merchant_id = ANY(%(merchants)s)
        OR p.reference IS NULL AND t.created_at >= now() - make_interval(secs => %(seconds)s)""",
}


def read_databases(core: str, settlement: str, password: str | None = None) -> Books:
    """All rows, of each database as of one moment; raises UnusableInputError. Core's are read first.

    `core` and `settlement` are libpq's connection strings, `password` is for both; a role that may read everything is
    enough.
    """
    return Books(**_rows(core, password, _OF_CORE), **_rows(settlement, password, _OF_SETTLEMENT))


def read_merchants(core: str, settlement: str, password: str | None, merchants: Sequence[int], seconds: float) -> Books:
    """The same of some merchants, and what the bank paid without a payout in the last `seconds`: few rows of many."""
    return Books(
        **_rows(core, password, _MERCHANTS_OF_CORE, merchants, seconds),
        **_rows(settlement, password, _MERCHANTS_OF_SETTLEMENT, merchants, seconds),
    )


def _rows(
    dsn: str,
    password: str | None,
    statements: Mapping[str, str],
    merchants: Sequence[int] = (),
    seconds: float = 0.0,
) -> dict[str, list[Any]]:
    given: dict[str, Any] = {} if password is None else {"password": password}
    try:
        connection = psycopg2.connect(dsn, **given)
        try:
            connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
            with connection, connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")
                chosen = {"merchants": list(merchants), "seconds": seconds}
                return {name: _fetched(cursor, _KINDS[name], sql, chosen) for name, sql in statements.items()}
        finally:
            connection.close()
    except psycopg2.Error as error:
        raise UnusableInputError(f"a database could not be read: {str(error).strip()}") from error


def _fetched(cursor: Any, kind: type[Any], statement: str, chosen: Mapping[str, Any]) -> list[Any]:
    cursor.execute(statement, chosen)
    return [kind(*row) for row in cursor.fetchall()]


def write_export(books: Books, directory: Path) -> None:
    """One file for each table, `withdrawals.jsonl` and so on: one JSON object a line."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in _KINDS:
        lines = (json.dumps(asdict(row)) + "\n" for row in getattr(books, name))
        (directory / f"{name}.jsonl").write_text("".join(lines))


def read_export(directory: Path) -> Books:
    """What `write_export` wrote; raises UnusableInputError naming file and line."""
    return Books(**{name: list(_read_file(directory / f"{name}.jsonl", kind)) for name, kind in _KINDS.items()})


def _read_file(path: Path, kind: type[Any]) -> Iterator[Any]:
    expected = {field.name for field in fields(kind)}
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise UnusableInputError(f"{path}: {error.strerror}") from error
    for number, line in enumerate(lines, 1):
        try:
            yield kind(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise UnusableInputError(
                f"{path}, line {number}: expected a JSON object with {', '.join(sorted(expected))}"
            ) from error
