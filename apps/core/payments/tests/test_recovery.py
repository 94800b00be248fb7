"""payments_recover and the report of it: exactly what is missing, once, and nothing over a limit or the pool."""

import json
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from etebar_quickstart.process import ManagedProcess
from payments.books.services import verify_books
from payments.models import Merchant, MerchantCredit, Withdrawal
from payments.recovery.services import recover, recover_dry
from payments.tests.factories import balances, fund_pool, make_merchant, merchant_client, unique_name, withdraw
from payments.tests.forgery import forge
from payments.withdrawals.settlement_client import PayoutOrder, settlement_client

pytestmark = pytest.mark.usefixtures("books")


def lose(merchant: Merchant, withdrawal_id: str) -> None:
    """As a restore to the moment before the merchant's only withdrawal would."""
    pool = "payments_creditpool"
    entries = f"FROM payments_ledgerentry WHERE withdrawal_id = '{withdrawal_id}' AND account = 'pool'"
    forge(
        f"UPDATE {pool} SET available_amount = available_amount - (SELECT sum(amount) {entries}),"
        f" ledger_number = ledger_number - (SELECT count(*) {entries});"
        f"UPDATE payments_merchantcredit SET utilized_amount = 0, ledger_number = 0 WHERE merchant_id = {merchant.pk};"
        f"DELETE FROM payments_idempotencykey WHERE withdrawal_id = '{withdrawal_id}';"
        f"DELETE FROM payments_ledgerentry WHERE withdrawal_id = '{withdrawal_id}';"
        f"DELETE FROM payments_withdrawal WHERE id = '{withdrawal_id}'"
    )


@pytest.fixture
def merchant(books: None) -> Merchant:
    fund_pool("100.00")
    return make_merchant(limit="50.00")


def lost_one(merchant: Merchant, amount: str = "7.00", key: str | None = None) -> str:
    answer = withdraw(merchant_client(merchant), amount, key)
    assert answer.status_code == 201
    withdrawal_id = str(answer.json()["id"])
    lose(merchant, withdrawal_id)
    assert len(verify_books().differences) == 1
    return withdrawal_id


def ordered_without_key(merchant: Merchant, amount: str) -> UUID:
    """A payout of a version that did not keep keys."""
    account = merchant.wallet_account
    order = PayoutOrder(uuid4(), merchant.pk, str(account.pk), Decimal(amount), account.account_number)
    assert settlement_client().settle([order], deadline_seconds=5)[order.withdrawal_id].outcome == "paid"
    return order.withdrawal_id


class TestALostWithdrawal:
    def test_is_made_again_with_its_key_and_ends_as_its_payout(self, merchant: Merchant) -> None:
        key = unique_name("key-")
        withdrawal_id = lost_one(merchant, key=key)
        assert [each.outcome for each in recover().found] == ["recovered"]
        assert verify_books().differences == []
        found = Withdrawal.objects.get()
        assert (str(found.pk), found.state, found.amount) == (withdrawal_id, "settled", Decimal("7.00"))
        assert (balances(merchant).utilized, balances(merchant).pool) == (Decimal("7.00"), Decimal("93.00"))
        again = withdraw(merchant_client(merchant), "7.00", key)
        assert (again.status_code, again.json()["id"]) == (201, withdrawal_id)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert recover().found == []

    def test_is_only_told_of_in_a_dry_run(self, merchant: Merchant) -> None:
        lost_one(merchant)
        assert len(recover_dry().recovered) == 1
        assert not Withdrawal.objects.exists()
        assert balances(merchant).pool == Decimal("100.00")

    def test_without_a_key_has_one_that_nobody_can_send(self, merchant: Merchant) -> None:
        withdrawal_id = ordered_without_key(merchant, "7.00")
        assert [each.outcome for each in recover().found] == ["recovered_without_key"]
        assert verify_books().differences == []
        assert Withdrawal.objects.get(pk=withdrawal_id).idempotency_key.scope == "recovered"

    def test_whose_key_was_used_again_is_in_the_books_beside_the_other(self, merchant: Merchant) -> None:
        key = unique_name("key-")
        lost = lost_one(merchant, "7.00", key)
        second = withdraw(merchant_client(merchant), "7.00", key).json()["id"]
        assert second != lost
        assert [each.outcome for each in recover().found] == ["recovered_without_key"]
        assert verify_books().differences == []
        assert balances(merchant).utilized == Decimal("14.00")


class TestWhatIsNotMadeAgain:
    def report(self) -> list[str]:
        report = recover()
        assert report.recovered == []
        return list(report.to_do())

    def test_over_the_limit_is_named_with_the_limit_that_is_needed(self, merchant: Merchant) -> None:
        lost_one(merchant)
        MerchantCredit.objects.update(credit_limit=Decimal("6.99"))
        assert self.report() == [f"merchant {merchant.pk} has a limit of 6.99: set at least 7.00"]

    def test_over_the_pool_is_named_with_the_top_up_that_is_missing(self, merchant: Merchant) -> None:
        ordered_without_key(merchant, "30.00")
        ordered_without_key(merchant, "15.00")
        assert withdraw(merchant_client(make_merchant(limit="90.00")), "90.00").status_code == 201
        assert self.report() == ["the pool lacks 35.00: repeat the top-ups that were lost, at least as much"]
        fund_pool("35.00")
        assert len(recover().recovered) == 2
        assert verify_books().differences == []

    def test_of_a_merchant_that_is_not_there_is_named_and_not_invented(self, merchant: Merchant) -> None:
        order = PayoutOrder(uuid4(), 999_999, str(uuid4()), Decimal("7.00"), "IRTEST0000000000001")
        settlement_client().settle([order], deadline_seconds=5)
        (sentence,) = self.report()
        assert sentence.startswith("merchant 999999 of settlement's payouts (7.00 together) is lost")

    def test_of_another_merchants_account_is_named(self, merchant: Merchant) -> None:
        order = PayoutOrder(uuid4(), merchant.pk, str(uuid4()), Decimal("7.00"), "IRTEST0000000000001")
        settlement_client().settle([order], deadline_seconds=5)
        assert "another one in core" in self.report()[0]

    def test_is_not_written_in_part(self, merchant: Merchant) -> None:
        lost_one(merchant)
        MerchantCredit.objects.update(credit_limit=Decimal("1.00"))
        before = balances(merchant)
        recover()
        assert (balances(merchant), Withdrawal.objects.count()) == (before, 0)


class TestTheCommand:
    def run(self, *options: str) -> tuple[int, str, str]:
        out, err = StringIO(), StringIO()
        try:
            call_command("recover_from_settlement", *options, stdout=out, stderr=err)
        except SystemExit as end:
            return int(end.code or 0), out.getvalue(), err.getvalue()
        return 0, out.getvalue(), err.getvalue()

    def test_says_what_it_did(self, merchant: Merchant) -> None:
        withdrawal_id = lost_one(merchant)
        assert "1 withdrawals would be recovered" in self.run("--dry-run")[1]
        code, out, _ = self.run()
        assert (code, out.splitlines()) == (
            0,
            [
                f"payout {withdrawal_id} of 7.00 (paid) of merchant {merchant.pk}: recovered",
                "1 withdrawals recovered, 0 are left.",
            ],
        )

    def test_ends_1_while_something_is_left(self, merchant: Merchant) -> None:
        lost_one(merchant)
        MerchantCredit.objects.update(credit_limit=Decimal("1.00"))
        code, out, err = self.run()
        assert (code, "1 are left" in out, "set at least 7.00" in err) == (1, True, True)

    def test_says_so_when_settlement_is_away(self, merchant: Merchant, settlement: ManagedProcess) -> None:
        settlement.stop()
        try:
            with pytest.raises(CommandError, match="settlement cannot be asked"):
                self.run()
        finally:
            settlement.start()
            settlement.wait_ready()


def test_a_withdrawal_that_is_there_is_left_as_it_is(merchant: Merchant) -> None:
    withdrawal_id = withdraw(merchant_client(merchant), "7.00").json()["id"]
    item: dict[str, Any] = {"withdrawal_id": withdrawal_id, "merchant_id": merchant.pk, "amount": "7.00"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT payments_recover(%s)", [json.dumps(item)])
        assert cursor.fetchone() == ("present",)
    assert verify_books().differences == []
