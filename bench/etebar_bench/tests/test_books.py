"""The comparison sees what it claims to see."""

import contextlib
import uuid
from collections.abc import Iterator

import psycopg2
import pytest

from etebar_bench import books
from etebar_bench.books import Books, Told
from etebar_bench.measured import EXACT
from etebar_quickstart.testing import servers

ROW = "run-1-single-8-"
TABLES = """
CREATE TEMP TABLE payments_withdrawal (id uuid, amount numeric(20, 2), state text);
CREATE TEMP TABLE payments_idempotencykey (key text, withdrawal_id uuid);
CREATE TEMP TABLE payments_creditpool (available_amount numeric(20, 2), ledger_number bigint);
CREATE TEMP TABLE payouts (withdrawal_id uuid, amount numeric(20, 2), state text);
INSERT INTO payments_creditpool VALUES (100, 0);
"""


class Ledger:
    """The tables that are compared, all in one database."""

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self._cursor = connection.cursor()
        self._cursor.execute(TABLES)
        self.books = Books(connection, connection, connection)

    def withdrawal(self, row: str = ROW, *, state: str = "settled", paid: str | None = "1.00") -> str:
        """One of 1.00, with a payout of `paid`, or none."""
        made = str(uuid.uuid4())
        self._cursor.execute("INSERT INTO payments_withdrawal VALUES (%s, 1.00, %s)", [made, state])
        self._cursor.execute("INSERT INTO payments_idempotencykey VALUES (%s, %s)", [row + made[:8], made])
        self._cursor.execute("UPDATE payments_creditpool SET available_amount = available_amount - 1")
        if paid:
            self._cursor.execute("INSERT INTO payouts VALUES (%s, %s, 'paid')", [made, paid])
        return made


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    monkeypatch.setattr(books, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(books, "QUIET_AT_MOST_SECONDS", 0.2)
    with contextlib.closing(psycopg2.connect(servers().dsn())) as connection:
        connection.autocommit = True
        yield Ledger(connection)


def compared(ledger: Ledger, *ids: str, most_unseen: int = 1) -> str:
    return ledger.books.compare(Told(ROW, ids, most_unseen))


class TestRow:
    def test_what_was_under_way_may_be_booked_unseen(self, ledger: Ledger) -> None:
        told = [ledger.withdrawal(), ledger.withdrawal()]
        ledger.withdrawal()
        assert compared(ledger, *told) == EXACT

    def test_more_than_was_under_way_may_not(self, ledger: Ledger) -> None:
        told = ledger.withdrawal()
        ledger.withdrawal()
        ledger.withdrawal()
        assert compared(ledger, told) == "1 settled beyond what was under way"

    def test_one_that_was_told_and_is_nowhere_is_named(self, ledger: Ledger) -> None:
        assert compared(ledger, ledger.withdrawal(), str(uuid.uuid4())) == "1 told but not settled"

    def test_one_that_was_told_for_two_requests_is_named(self, ledger: Ledger) -> None:
        told = ledger.withdrawal()
        assert compared(ledger, told, told) == "1 told twice"

    @pytest.mark.parametrize("paid", [None, "2.00"])
    def test_one_that_was_paid_otherwise_is_named(self, ledger: Ledger, paid: str | None) -> None:
        assert compared(ledger, ledger.withdrawal(paid=paid)) == "1 settled but not paid so"

    def test_one_that_stays_pending_is_named(self, ledger: Ledger) -> None:
        ledger.withdrawal(state="pending", paid=None)
        assert compared(ledger) == "1 still pending"


class TestRun:
    def test_what_was_booked_after_its_row_was_compared_counts_as_unseen(self, ledger: Ledger) -> None:
        assert compared(ledger, ledger.withdrawal()) == EXACT
        ledger.withdrawal()
        words, sums = ledger.books.compare_sums()
        assert words == EXACT
        assert sums == {
            "answered": 1,
            "unseen": 1,
            "settled": {"count": 2, "amount": "2.00"},
            "paid": {"count": 2, "amount": "2.00"},
        }

    def test_one_of_no_row_is_named(self, ledger: Ledger) -> None:
        ledger.withdrawal("other-1-single-8-")
        assert ledger.books.compare_sums()[0] == "1 settled without a row"

    def test_a_payment_without_a_withdrawal_is_named(self, ledger: Ledger) -> None:
        ledger.withdrawal("other-1-single-8-", state="failed")
        assert ledger.books.compare_sums()[0] == "1 paid beyond settled, 1 of amount paid so"


class TestFloor:
    def test_as_many_must_be_settled_and_taken_as_there_were_transactions(self, ledger: Ledger) -> None:
        before = ledger.books.floor_state()
        ledger.withdrawal()
        assert ledger.books.compare_floor(before, 1) == EXACT
        assert ledger.books.compare_floor(before, 2) == (
            "-1 settled beyond the transactions, -1 taken from the pool beyond them"
        )
