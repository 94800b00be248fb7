"""Fills the books with merchants and with settled withdrawals, many at a time; they agree afterwards."""

import secrets
import tempfile
import time
from importlib.resources import files

from etebar_bench.capacity.backend import Backend
from etebar_quickstart import Stack

CHUNK_ROWS = 250_000
DAYS = 100
SEED = """
from decimal import Decimal
from payments.sandbox.services import Seed, seed_sandbox
seed_sandbox(Seed(merchants=1, credit_limit=Decimal("100000000.00"), pool=Decimal("100000000000.00")))
"""
BASE = """
CREATE TEMP TABLE capacity_base AS
SELECT row_number() OVER (ORDER BY c.merchant_id) - 1 AS place, c.merchant_id, c.credit_limit, c.utilized_amount,
    c.ledger_number AS number_before, a.id AS account_id, a.fingerprint
FROM payments_merchantcredit AS c JOIN payments_walletaccount AS a USING (merchant_id)
ORDER BY c.merchant_id LIMIT %s;
ALTER TABLE capacity_base ADD PRIMARY KEY (place);
ANALYZE capacity_base;
CREATE TEMP TABLE capacity_load AS
SELECT %s::bigint AS withdrawals, %s::numeric AS span_ms, %s::bigint AS first_ms, %s::text AS salt,
    (SELECT count(*) FROM capacity_base) AS merchants, available_amount, ledger_number FROM payments_creditpool;
CREATE TEMP TABLE capacity_rows AS
SELECT 0::bigint AS i, b.*, 0::numeric AS pool_balance, 0::bigint AS pool_number, 0::numeric AS used_after,
    0::bigint AS number, NULL::uuid AS id, NULL::uuid AS log_id, ''::text AS hash, now() AS moment
FROM capacity_base AS b WHERE false;
"""
BALANCES = """
UPDATE payments_merchantcredit AS c
SET utilized_amount = c.utilized_amount + n.withdrawals, ledger_number = c.ledger_number + n.withdrawals
FROM (SELECT b.merchant_id, (l.withdrawals - b.place + l.merchants - 1) / l.merchants AS withdrawals
      FROM capacity_base AS b CROSS JOIN capacity_load AS l) AS n WHERE n.merchant_id = c.merchant_id;
UPDATE payments_creditpool AS p
SET available_amount = p.available_amount - l.withdrawals, ledger_number = p.ledger_number + l.withdrawals
FROM capacity_load AS l;
DROP TABLE capacity_base, capacity_load, capacity_rows;
"""
OUT = """
COPY (
    SELECT id, merchant_id, wallet_account_id, amount, account_fingerprint, 'IR****', 'paid', 'sandbox', id, created_at,
        finalized_at, 1
    FROM payments_withdrawal WHERE state = 'settled' ORDER BY id
) TO STDOUT
"""
IN = """
COPY payouts (
    withdrawal_id, merchant_id, account_id, amount, account_fingerprint, account_masked, state, rail, reference,
    created_at, decided_at, attempts
) FROM STDIN
"""


def prepare(stack: Stack) -> None:
    """A merchant, and a pool that is never the bound; settlement must run."""
    stack.manage("shell", "-c", SEED).check_returncode()


def merchants(backend: Backend) -> range:
    """The merchants' ids, which have no gaps here."""
    ((least, most),) = backend.query("SELECT min(id), max(id) FROM payments_merchant")
    return range(least, most + 1)


def add_merchants(backend: Backend, number: int) -> None:
    """Adds merchants until there are `number`."""
    there = len(merchants(backend))
    if number > there:
        statement = files("etebar_bench.capacity").joinpath("merchants.sql").read_text()
        with backend.connection.cursor() as cursor:
            cursor.execute(statement, {"number": number - there})
        backend.query("VACUUM ANALYZE auth_user, payments_merchant, payments_walletaccount, payments_merchantcredit")


def add_withdrawals(backend: Backend, number: int, of_merchants: int) -> None:
    """Adds settled withdrawals of the first merchants, in turn, over the last DAYS days.

    Triggers are off meanwhile, as superuser: it is verify_books that proves the load.
    """
    span_ms = DAYS * 86_400_000
    statement = files("etebar_bench.capacity").joinpath("withdrawals.sql").read_text()
    with backend.connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        first_ms = int(time.time() * 1000) - span_ms
        cursor.execute(BASE, [of_merchants, number, span_ms, first_ms, secrets.token_hex(4)])
        for first in range(0, number, CHUNK_ROWS):
            cursor.execute("SET work_mem = '256MB'")
            cursor.execute(statement, {"first": first, "end": min(first + CHUNK_ROWS, number)})
        cursor.execute(BALANCES)
        cursor.execute("RESET work_mem")
        cursor.execute("RESET session_replication_role")
    backend.query("VACUUM ANALYZE")


def add_payouts(wallet: Backend, settlement: Backend) -> None:
    """Gives settlement, which has none, the payouts of all settled withdrawals."""
    with tempfile.TemporaryFile() as rows, wallet.connection.cursor() as source, settlement.connection.cursor() as sink:
        source.copy_expert(OUT, rows)
        rows.seek(0)
        sink.copy_expert(IN, rows)
    settlement.query("VACUUM ANALYZE payouts")
