"""What staff decide in the console, alone or as two."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from payments.console.charts import balance_chart
from payments.models import POOL_ID, ApprovalRequest, CreditPool, Merchant, PoolTopUp, Withdrawal
from payments.staff.groups import APPROVER, TREASURER, VIEWER
from payments.tests.console import console_of, do, drawn, key_of, page, unknown_withdrawal
from payments.tests.factories import fund_pool, make_merchant, make_staff, merchant_client, withdraw
from payments.tests.forgery import forge

pytestmark = pytest.mark.usefixtures("books")


class TestAMerchant:
    def test_is_approved_with_a_limit_in_persian_digits(self) -> None:
        merchant = make_merchant(approved=False)
        answer = do(console_of(make_staff()), "merchant", merchant, "approve", credit_limit="۱٬۲۵۰٫۵۰")
        assert answer.status_code == 302
        merchant.refresh_from_db()
        assert (merchant.state, str(merchant.credit.credit_limit)) == (Merchant.State.APPROVED, "1250.50")

    @pytest.mark.parametrize("typed", ["", "ten", "1.234", "-1", "1250,00", "1,50", "12,34,567", "۱۲۵۰٬۰۰"])
    def test_is_not_approved_with_what_is_no_amount(self, typed: str) -> None:
        merchant = make_merchant(approved=False)
        answer = do(console_of(make_staff()), "merchant", merchant, "approve", credit_limit=typed)
        assert answer.status_code == 200
        assert b"errorlist" in answer.content
        merchant.refresh_from_db()
        assert merchant.state == Merchant.State.PENDING

    def test_page_shows_what_it_has_and_did(self) -> None:
        merchant = make_merchant(limit="1000.00")
        fund_pool("5000.00")
        withdrawn = withdraw(merchant_client(merchant), "250.00").json()["id"]
        shown = console_of(make_staff(None, VIEWER)).get(page("merchant", merchant)).content.decode()
        for text in ("1,000.00", "250.00", "750.00", withdrawn, "IR*************0001"):
            assert text in shown, text
        assert "IRTEST0000000000001" not in shown


class TestATopUp:
    def test_that_is_sent_twice_is_made_once(self) -> None:
        fund_pool()
        client = console_of(make_staff(None, TREASURER))
        url = page("creditpool", POOL_ID, "top-up")
        fields = {"amount": "5.00", "key": key_of(client.get(url))}
        assert [client.post(url, fields).status_code for _ in range(2)] == [302, 302]
        assert PoolTopUp.objects.count() == 2

    def test_is_in_the_pools_history(self) -> None:
        assert balance_chart(CreditPool(pk=POOL_ID)) is None
        fund_pool("10.00")
        fund_pool("5.00")
        assert drawn(balance_chart(CreditPool.objects.get())) == {"balance": ["10.00", "15.00"]}
        assert drawn(balance_chart(CreditPool.objects.get(), points=1)) == {"balance": ["10.00"]}
        shown = console_of(make_staff(None, VIEWER)).get(page("creditpool", POOL_ID)).content.decode()
        assert "balance-points" in shown

    def test_has_its_history_drawn_by_time(self) -> None:
        """However many entries a time had."""
        for _ in range(3):
            fund_pool("10.00")
        monday = datetime(2026, 3, 23, tzinfo=UTC)
        for number, days in enumerate((0, 5, 6), 1):
            forge(
                f"UPDATE payments_ledgerentry SET created_at = '{monday + timedelta(days=days)}'"
                f" WHERE account = 'pool' AND number = {number}"
            )
        chart = balance_chart(CreditPool.objects.get())
        assert chart is not None
        assert chart.seconds == [days * 86_400 for days in (0, 5, 6)]
        assert chart.ticks == [(days * 86_400, f"2026-03-{23 + days} 00:00:00") for days in range(7)]
        only = balance_chart(CreditPool.objects.get(), points=1)
        assert only is not None
        assert only.ticks == [(0, "2026-03-23 00:00:00")]


class TestAWithdrawal:
    def test_shows_what_was_reserved_and_what_was_released(self) -> None:
        fund_pool()
        refused = make_merchant(account="IRTESTREFUSED0000001")
        withdraw(merchant_client(refused), "30.00")
        withdrawal = Withdrawal.objects.get()
        shown = console_of(make_staff(None, VIEWER)).get(page("withdrawal", withdrawal)).content.decode()
        assert [shown.count(f"<td>{kind}</td>") for kind in ("Reserve", "Release")] == [2, 2]

    def test_finds_its_entries_by_an_index(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # an empty table is read whole in no time
            cursor.execute("SET LOCAL enable_seqscan = off")
            assert "ledger_of_withdrawal" in Withdrawal(id=uuid.uuid4()).ledger_entries.all().explain()


class TestARefusal:
    def test_is_shown_and_what_is_sent_next_is_another_request(self) -> None:
        merchant = make_merchant()
        approver, other = (console_of(make_staff(None, APPROVER)) for _ in range(2))
        first = other.get(page("merchant", merchant, "suspend"))
        assert do(approver, "merchant", merchant, "suspend").status_code == 302
        late = other.post(page("merchant", merchant, "suspend"), {"key": key_of(first), "reason": ""})
        assert late.status_code == 409
        assert "the merchant is suspended" in late.content.decode()
        assert key_of(late) != key_of(first)


class TestTwoPeople:
    @pytest.fixture
    def asked(self) -> tuple[User, ApprovalRequest]:
        asker, withdrawal = make_staff(None, TREASURER), unknown_withdrawal(make_merchant())
        fields = {"outcome": "paid", "evidence": "seen on the statement", "bank_reference": "TX-1"}
        assert do(console_of(asker), "withdrawal", withdrawal, "outcome", **fields).status_code == 302
        return asker, ApprovalRequest.objects.get()

    def test_decide_an_outcome_and_one_does_not(self, asked: tuple[User, ApprovalRequest]) -> None:
        asker, request = asked
        alone = do(console_of(asker), "approvalrequest", request, "approve")
        assert alone.status_code == 409
        assert "Another person must decide" in alone.content.decode()
        assert do(console_of(self.older(request)), "approvalrequest", request, "approve").status_code == 302
        request.refresh_from_db()
        assert (request.state, str(request.decision.outcome)) == ("approved", "paid")

    @staticmethod
    def older(request: ApprovalRequest) -> User:
        other = make_staff(None, APPROVER)
        User.objects.filter(pk=other.pk).update(date_joined="2020-01-01T00:00:00Z")
        return other

    def test_see_the_evidence(self, asked: tuple[User, ApprovalRequest]) -> None:
        asker, request = asked
        shown = console_of(asker).get(page("approvalrequest", request)).content.decode()
        for text in ("seen on the statement", "TX-1", "You asked for this"):
            assert text in shown
