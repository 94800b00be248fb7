"""The dispatcher: asks until the outcome is definite, one asker at a time, and ends nothing by a clock."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from core.environment import ENVIRONMENT
from etebar_quickstart.process import ManagedProcess
from payments.books.services import verify_books
from payments.dispatch import services
from payments.dispatch.backoff import backoff_seconds
from payments.dispatch.services import claim_due, dispatch_due, flag_overdue
from payments.models import DispatchAttempt, WalletAccount, Withdrawal
from payments.tests.factories import balances, fund_pool, make_merchant, merchant_client, staff_client, withdraw
from payments.tests.forgery import forge
from payments.withdrawals.settlement_client import PayoutOrder, settlement_client

pytestmark = pytest.mark.usefixtures("books")


def pending(account: str = "IRTEST0000000000001", amount: str = "1.00") -> Withdrawal:
    answer = withdraw(merchant_client(make_merchant(account=account)), amount, Prefer="respond-async")
    assert answer.status_code == 202
    return Withdrawal.objects.get(pk=answer.json()["id"])


def make_due(**filters: object) -> None:
    Withdrawal.objects.filter(state="pending", **filters).update(next_attempt_at=timezone.now())


@pytest.fixture(autouse=True)
def _funded(books: None) -> None:
    fund_pool()


class TestOutcomes:
    def test_a_paid_one_is_settled(self) -> None:
        withdrawal = pending()
        assert dispatch_due() == 1
        withdrawal.refresh_from_db()
        assert withdrawal.state == "settled"
        assert verify_books().differences == []

    def test_a_refused_one_is_failed_and_its_funds_are_released(self) -> None:
        withdrawal = pending("IRTESTREFUSED0000001", "7.00")
        dispatch_due()
        withdrawal.refresh_from_db()
        assert (withdrawal.state, withdrawal.failure_code) == ("failed", "account_closed")
        assert balances(withdrawal.merchant).utilized == Decimal("0.00")
        assert balances(withdrawal.merchant).pool == Decimal("1000.00")
        assert verify_books().differences == []

    def test_many_refused_of_one_merchant_are_released_together(self) -> None:
        client = merchant_client(merchant := make_merchant(account="IRTESTREFUSED0000001"))
        for cents in range(1, 6):
            withdraw(client, f"0.0{cents}", Prefer="respond-async")
        pending()
        assert dispatch_due() == 6
        assert balances(merchant).utilized == Decimal("0.00")
        assert verify_books().differences == []

    @pytest.mark.parametrize("account", ["IRTESTTIMEOUT0000001", "IRTESTERROR000000001", "IRTESTGARBLED0000001"])
    def test_an_unknown_outcome_stays_pending_until_it_is_known(self, account: str) -> None:
        withdrawal = pending(account)
        for _ in range(4):
            make_due()
            dispatch_due()
        withdrawal.refresh_from_db()
        assert withdrawal.state == "settled"
        assert verify_books().differences == []

    def test_a_bank_that_is_down_leaves_it_pending_for_ever(self) -> None:
        withdrawal = pending("IRTESTDOWN0000000001")
        for _ in range(3):
            make_due()
            assert dispatch_due() == 0
        withdrawal.refresh_from_db()
        assert (withdrawal.state, withdrawal.attempts) == ("pending", 3)
        assert verify_books().differences == []


class TestAsking:
    def test_settlement_away_is_an_unknown_outcome_with_a_logged_attempt(self, settlement: ManagedProcess) -> None:
        withdrawal = pending()
        settlement.stop()
        try:
            assert dispatch_due() == 0
        finally:
            settlement.start()
            settlement.wait_ready()
        (attempt,) = DispatchAttempt.objects.all()
        assert (attempt.withdrawal_id, attempt.number, attempt.outcome) == (withdrawal.pk, 1, "unknown")
        withdrawal.refresh_from_db()
        assert withdrawal.next_attempt_at is not None
        assert withdrawal.next_attempt_at > attempt.created_at
        make_due()
        assert dispatch_due() == 1

    def test_what_is_claimed_is_nobody_elses(self) -> None:
        pending()
        assert len(claim_due(10)) == 1
        assert claim_due(10) == []

    def test_a_claim_ends_when_its_dispatcher_died(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(services, "LEASE_SECONDS", -1.0)
        pending()
        assert len(claim_due(10)) == 1
        assert len(claim_due(10)) == 1

    def test_a_withdrawal_that_its_request_is_at_work_on_is_left_alone(self) -> None:
        client = merchant_client(make_merchant(account="IRTESTDOWN0000000001"))
        assert withdraw(client).status_code == 202
        withdrawal = Withdrawal.objects.get()
        assert withdrawal.next_attempt_at is not None
        wait = withdrawal.next_attempt_at - withdrawal.created_at
        assert wait == timedelta(seconds=ENVIRONMENT.settle_deadline_seconds + 2)
        assert claim_due(10) == []

    def test_all_that_is_due_is_asked_in_batches(self) -> None:
        client = merchant_client(make_merchant())
        for _ in range(7):
            withdraw(client, "0.01", Prefer="respond-async")
        assert dispatch_due(limit=3) == 7

    def test_the_backoff_grows_to_its_cap_with_jitter(self) -> None:
        waits = [[backoff_seconds(attempt, base=1, cap=60) for _ in range(50)] for attempt in (1, 2, 3, 10, 10_000)]
        for wait, longest in zip(waits, (1, 2, 4, 60, 60), strict=True):
            assert longest / 2 <= min(wait) < max(wait) <= longest


class TestAWrongMember:
    def test_of_a_batch_does_not_hold_up_the_others(self) -> None:
        wrong, right = pending(), pending()
        # an account that settlement does not take: the request as a whole is refused
        WalletAccount.objects.filter(pk=wrong.wallet_account_id).update(bank_account="NOT-AN-ACCOUNT")
        assert dispatch_due() == 1
        states = dict(Withdrawal.objects.values_list("pk", "state"))
        assert states == {wrong.pk: "pending", right.pk: "settled"}


class TestConflict:
    def test_another_amount_under_a_known_id_is_flagged_for_staff_and_pays_nothing(self) -> None:
        withdrawal = pending(amount="1.00")
        order = PayoutOrder(
            withdrawal.pk, withdrawal.merchant_id, withdrawal.wallet_account_id, Decimal("2.00"), "IRTEST0000000000001"
        )
        settlement_client().settle([order], deadline_seconds=2)
        assert dispatch_due() == 0
        withdrawal.refresh_from_db()
        assert withdrawal.state == "pending"
        assert withdrawal.overdue_since is not None
        assert any("amount" in line for line in verify_books().differences)


class TestOverdue:
    def test_an_outcome_unknown_past_the_budget_is_flagged_once_and_stays_pending(self) -> None:
        old, new = pending("IRTESTDOWN0000000001"), pending()
        past_budget = ENVIRONMENT.unknown_outcome_budget_seconds + 1
        forge(f"UPDATE payments_withdrawal SET created_at = now() - interval '{past_budget} s' WHERE id = '{old.pk}'")
        assert flag_overdue() == 1
        assert flag_overdue() == 0
        listed = staff_client().get("/api/v1/admin/withdrawals?overdue=true").json()["results"]
        assert [(item["id"], item["state"]) for item in listed] == [(str(old.pk), "pending")]
        new.refresh_from_db()
        assert new.overdue_since is None
