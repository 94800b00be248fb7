"""verify_books names each difference; each is forged here by the tables' owner, with the triggers off."""

import os
import subprocess
import sys
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from etebar_quickstart.process import ManagedProcess
from payments.approvals.adjustments import adjustment_ask
from payments.approvals.services import approval_approve
from payments.books import checks
from payments.books.checks import find_differences
from payments.books.services import verify_books
from payments.models import BooksCheck
from payments.tests.factories import fund_pool, make_actor, make_merchant, merchant_client, withdraw
from payments.tests.forgery import forge

CORE = Path(__file__).parents[2]

pytestmark = pytest.mark.usefixtures("books")


@pytest.fixture
def some_books() -> None:
    fund_pool("100.00")
    client = merchant_client(make_merchant(limit="50.00"))
    refused = merchant_client(make_merchant(account="IRTESTREFUSED0000001"))
    assert withdraw(client, "10.00").status_code == 201
    assert withdraw(client, "5.00", Prefer="respond-async").status_code == 202
    assert withdraw(refused, "3.00").status_code == 409
    with transaction.atomic():
        first, second = make_actor(), make_actor()
        asked = adjustment_ask(amount=Decimal("2.00"), reason="counted", by=first)
        approval_approve(approval_id=asked.pk, reason="", by=second)
    assert verify_books().differences == []


FORGERIES = {
    "a withdrawal over its limit": ("I1", "UPDATE payments_withdrawal SET accepted_limit = 9 WHERE amount = 10"),
    "money that left the pool": ("I2", "UPDATE payments_creditpool SET available_amount = available_amount - 1"),
    "a top-up that never was": ("I2", "UPDATE payments_pooltopup SET amount = 101"),
    "an adjustment that never was": ("I2", "UPDATE payments_pooladjustment SET amount = 3"),
    "an adjustment that is gone": ("I2", "DELETE FROM payments_pooladjustment"),
    "an adjustment of one person": (
        "I2",
        "UPDATE payments_pooladjustment SET asked_by_id = (SELECT min(id) FROM auth_user)",
    ),
    "an adjustment posted as another": (
        "I4",
        "UPDATE payments_ledgerentry SET amount = 3 WHERE kind = 'adjustment' AND account = 'pool'",
    ),
    "a corrected sum that is off": ("I4", "UPDATE payments_creditpool SET adjusted_amount = 3"),
    "use without a withdrawal": ("I3", "UPDATE payments_merchantcredit SET utilized_amount = utilized_amount + 1"),
    "a withdrawal of another amount": ("I3", "UPDATE payments_withdrawal SET amount = 11 WHERE amount = 10"),
    "a settled one called failed": ("I3", "UPDATE payments_withdrawal SET state = 'failed' WHERE amount = 10"),
    "an entry of another amount": (
        "I4",
        "UPDATE payments_ledgerentry SET amount = 9 WHERE amount = 10 AND account = 'merchant'",
    ),
    "an entry that is gone": ("I4", "DELETE FROM payments_ledgerentry WHERE amount = 10 AND account = 'merchant'"),
    "a balance that is off": ("I4", "UPDATE payments_ledgerentry SET balance_after = 1 WHERE number = 2"),
    "a release that never was": ("I4", "DELETE FROM payments_ledgerentry WHERE kind = 'release'"),
    "a withdrawal without a key": ("I6", "DELETE FROM payments_idempotencykey WHERE status = 201"),
    "a key without its answer": ("I6", "UPDATE payments_idempotencykey SET status = NULL WHERE status = 201"),
}


@pytest.mark.parametrize(("invariant", "statement"), FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgery_within_core_is_named(some_books: None, invariant: str, statement: str) -> None:
    forge(statement)
    assert invariant in {difference.split(":")[0] for difference in find_differences()}


def test_a_check_may_take_longer_than_a_requests_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = checks.Check("I0", "SELECT 'slept' FROM pg_sleep(0.2)")
    monkeypatch.setattr(checks, "CHECKS", (slow,))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '50ms'")
        try:
            assert find_differences() == ["I0: slept"]
        finally:
            cursor.execute("RESET statement_timeout")


class TestAgainstSettlement:
    def differences(self) -> list[str]:
        return [line for line in verify_books().differences if line.startswith("I5")]

    def test_a_settled_withdrawal_without_a_payout_is_named(self, some_books: None) -> None:
        forge("UPDATE payments_withdrawal SET state = 'settled', finalized_at = now(), next_attempt_at = NULL"
              " WHERE amount = 5")  # fmt: skip
        (line,) = self.differences()
        assert "is settled, but its payout is missing" in line

    def test_a_failed_withdrawal_with_a_paid_payout_is_named_from_both_sides(self, some_books: None) -> None:
        forge("UPDATE payments_withdrawal SET state = 'failed' WHERE amount = 10")
        assert len(self.differences()) == 2

    def test_another_amount_and_another_account_are_named(self, some_books: None) -> None:
        forge("UPDATE payments_withdrawal SET amount = 9, account_fingerprint = 'x' WHERE amount = 10")
        text = "\n".join(self.differences())
        assert "but the withdrawal's amount is 9.00" in text
        assert "but to another account" in text

    def test_a_payout_that_core_does_not_know_is_named(self, some_books: None) -> None:
        forge("TRUNCATE payments_withdrawal CASCADE")
        assert sum("core has no such withdrawal" in line for line in self.differences()) == 2

    def test_settlement_away_is_a_difference_and_no_success(self, some_books: None, settlement: ManagedProcess) -> None:
        settlement.stop()
        try:
            report = verify_books()
        finally:
            settlement.start()
            settlement.wait_ready()
        assert not report.settlement_compared
        assert "could not be checked" in report.differences[0]


class TestTheCommand:
    def run(self) -> tuple[int, str, str]:
        out, err = StringIO(), StringIO()
        try:
            call_command("verify_books", stdout=out, stderr=err)
        except SystemExit as end:
            return int(end.code or 0), out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    def test_agreeing_books_are_said_to_agree(self, some_books: None) -> None:
        code, out, _ = self.run()
        assert code == 0
        assert "The books agree (I1-I6): 3 withdrawals" in out

    def test_differing_books_exit_1_naming_each_difference(self, some_books: None) -> None:
        forge("UPDATE payments_creditpool SET available_amount = available_amount - 1")
        code, _, err = self.run()
        assert code == 1
        assert "I2: the pool has 86.00 available" in err

    @pytest.mark.parametrize("hours", ["0", "-1", "1.5", "many", "9999999999"])
    def test_a_wrong_number_of_hours_is_refused(self, hours: str) -> None:
        with pytest.raises(CommandError, match="--hours: expected a whole number from 1 to 1000000"):
            call_command("verify_books", f"--hours={hours}")

    def test_a_database_that_is_away_is_told_in_one_line(self) -> None:
        ended = subprocess.run(
            [sys.executable, "manage.py", "verify_books"],
            cwd=CORE,
            env=os.environ | {"DB_PORT": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 1
        (line,) = ended.stderr.strip().splitlines()
        assert line.startswith("CommandError: the books were not compared: the database postgresql://")

    def test_each_run_is_recorded(self, some_books: None) -> None:
        self.run()
        checks: Any = BooksCheck.objects.order_by("-id")[0]
        assert (checks.differences, checks.settlement_compared) == ([], True)
