"""Repayments: they give back what is owed, once, and are taken back by an entry of their own."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from payments.books.services import verify_books
from payments.models import (
    AuditEntry,
    BankStatementLine,
    CreditPool,
    LedgerEntry,
    Merchant,
    Repayment,
    RepaymentReversal,
    Withdrawal,
)
from payments.repayments import services
from payments.staff.groups import APPROVER, TREASURER
from payments.tests.factories import (
    Balances,
    balances,
    client_of,
    fund_pool,
    make_actor,
    make_merchant,
    make_staff,
    merchant_client,
    staff_client,
    unique_name,
    withdraw,
)
from payments.tests.forgery import forge
from payments.tests.test_bank_statement_forms import a_line, written_csv
from payments.tests.test_concurrent_withdrawals import all_at_once

pytestmark = pytest.mark.usefixtures("books")

PATH = "/api/v1/admin/repayments"


@pytest.fixture
def staff() -> APIClient:
    return staff_client()


@pytest.fixture
def merchant() -> Merchant:
    """Who has used 60 of 100, settled; the pool has 140."""
    fund_pool("200.00")
    merchant = make_merchant(limit="100.00")
    assert withdraw(merchant_client(merchant), "60.00").status_code == 201
    return merchant


def repay(staff: APIClient, merchant: Merchant, amount: str = "20.00", **fields: Any) -> Any:
    body = {"merchant_id": merchant.pk, "amount": amount, "reference": unique_name("bank-"), **fields}
    return staff.post(PATH, body, format="json")


def reverse_it(staff: APIClient, repayment_id: str, reason: str = "it was another merchant's") -> Any:
    return staff.post(f"{PATH}/{repayment_id}/reverse", {"reason": reason}, format="json")


def stands(merchant: Merchant, used: str, available: str) -> None:
    assert balances(merchant) == Balances(Decimal(used), Decimal(available))
    assert verify_books().differences == []


class TestARepayment:
    def test_lowers_what_is_used_and_raises_the_pool(self, staff: APIClient, merchant: Merchant) -> None:
        answer = repay(staff, merchant, reference="TX-1")
        assert answer.status_code == 201, answer.content
        body = answer.json()
        assert (body["amount"], body["reference"], body["reversed_at"]) == ("20.00", "TX-1", None)
        stands(merchant, "40.00", "160.00")
        assert withdraw(merchant_client(merchant), "60.00").status_code == 201
        [entry] = AuditEntry.objects.filter(action="repayment_recorded")
        assert (entry.merchant_id, entry.detail["reference"]) == (merchant.pk, "TX-1")

    def test_is_one_per_reference_however_often_and_at_once_it_is_told(
        self, staff: APIClient, merchant: Merchant
    ) -> None:
        answers = all_at_once([lambda: repay(staff, merchant, reference="TX-1")] * 12)
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["repayment_id"] for answer in answers}) == 1
        stands(merchant, "40.00", "160.00")

    def test_of_another_amount_or_merchant_under_the_same_reference_is_refused(
        self, staff: APIClient, merchant: Merchant
    ) -> None:
        first = repay(staff, merchant, reference="TX-1").json()["repayment_id"]
        for answer in (
            repay(staff, merchant, "21.00", reference="TX-1"),
            repay(staff, make_merchant(), reference="TX-1"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "repayment_conflict")
            assert answer.json()["repayment_id"] == first
        stands(merchant, "40.00", "160.00")

    @pytest.mark.parametrize("typed", ["tx-12", " TX-12 ", "TX-\u200f12", "ＴＸ-12", "TX-۱۲", "Tx-12\u00a0"])
    def test_is_one_however_its_reference_is_typed(self, staff: APIClient, merchant: Merchant, typed: str) -> None:
        first = repay(staff, merchant, reference="TX-12").json()
        assert repay(staff, merchant, reference=typed).json() == first
        stands(merchant, "40.00", "160.00")

    def test_under_a_reference_of_nothing_is_refused(self, staff: APIClient, merchant: Merchant) -> None:
        answers = [repay(staff, merchant, reference=typed) for typed in (" \u200f ", "\ufdfa" * 140)]
        assert [(answer.status_code, answer.json()["errors"][0]["field"]) for answer in answers] == [
            (422, "reference")
        ] * 2

    def test_of_more_than_is_owed_is_refused(self, staff: APIClient, merchant: Merchant) -> None:
        answer = repay(staff, merchant, "60.01")
        assert (answer.status_code, answer.json()["code"]) == (409, "repayment_exceeds_debt")
        assert answer.json()["owed"] == "60.00"
        stands(merchant, "60.00", "140.00")

    def test_does_not_pay_for_what_is_pending_and_may_fail(self, staff: APIClient, merchant: Merchant) -> None:
        pending = withdraw(merchant_client(merchant), "30.00", Prefer="respond-async").json()["id"]
        assert repay(staff, merchant, "60.01").json()["owed"] == "60.00"
        assert repay(staff, merchant, "60.00").status_code == 201
        stands(merchant, "30.00", "170.00")
        assert Withdrawal.objects.get(pk=pending).state == "pending"

    def test_of_a_merchant_without_credit_is_refused(self, staff: APIClient) -> None:
        answer = repay(staff, make_merchant(approved=False))
        assert (answer.status_code, answer.json()["code"]) == (409, "merchant_state_conflict")
        assert (
            staff.post(PATH, {"merchant_id": 999_999, "amount": "1.00", "reference": "x"}, format="json").status_code
            == 404
        )

    @pytest.mark.parametrize(
        "fields",
        [
            {"amount": "1.00"},
            {"reference": "x"},
            {"amount": "1.00", "reference": "x", "statement_line_id": 1},
            {"amount": "0.00", "reference": "x"},
            {"amount": "-1.00", "reference": "x"},
            {"amount": "1.00", "reference": ""},
        ],
    )
    def test_that_is_not_whole_is_refused(self, staff: APIClient, merchant: Merchant, fields: dict[str, Any]) -> None:
        answer = staff.post(PATH, {"merchant_id": merchant.pk, **fields}, format="json")
        assert answer.status_code == 422, answer.content
        stands(merchant, "60.00", "140.00")

    def test_leaves_nothing_when_its_transaction_does_not_end(self, merchant: Merchant) -> None:
        @transaction.atomic
        def die_at_the_end() -> None:
            services.repayment_record(merchant_id=merchant.pk, amount=Decimal(5), reference="TX-1", by=make_actor())
            raise RuntimeError

        with pytest.raises(RuntimeError):
            die_at_the_end()
        assert not Repayment.objects.exists()
        stands(merchant, "60.00", "140.00")

    def test_beside_withdrawals_keeps_the_books(self, staff: APIClient, merchant: Merchant) -> None:
        client = merchant_client(merchant)
        acts = [lambda: withdraw(client, "3.00").status_code, lambda: repay(staff, merchant, "5.00").status_code] * 8
        assert set(all_at_once(acts)) <= {201}
        stands(merchant, "44.00", "156.00")

    def test_is_a_treasurers_and_seen_by_its_merchant_alone(self, merchant: Merchant) -> None:
        assert repay(client_of(make_staff(None, APPROVER)), merchant).status_code == 403
        made = repay(client_of(make_staff(None, TREASURER)), merchant).json()
        assert merchant_client(merchant).get("/api/v1/repayments").json()["results"] == [made]
        assert merchant_client(make_merchant()).get("/api/v1/repayments").json()["results"] == []


class TestAReversal:
    def test_takes_it_back_by_an_entry_of_its_own(self, staff: APIClient, merchant: Merchant) -> None:
        made = repay(staff, merchant).json()["repayment_id"]
        answer = reverse_it(staff, made)
        assert (answer.status_code, answer.json()["reversal_reason"]) == (200, "it was another merchant's")
        stands(merchant, "60.00", "140.00")
        assert list(
            LedgerEntry.objects.filter(account="merchant").values_list("kind", flat=True).order_by("number")
        ) == [
            "reserve",
            "repayment",
            "reversal",
        ]

    def test_is_once(self, staff: APIClient, merchant: Merchant) -> None:
        made = repay(staff, merchant).json()["repayment_id"]
        statuses = sorted(answer.status_code for answer in all_at_once([lambda: reverse_it(staff, made)] * 6))
        assert statuses == [200] + [409] * 5
        assert reverse_it(staff, made).json()["code"] == "repayment_reversed"
        stands(merchant, "60.00", "140.00")

    def test_lets_the_payment_be_recorded_anew_by_who_says_so(self, staff: APIClient, merchant: Merchant) -> None:
        """For whose it is; a request that comes late, without a word of the reversal, records nothing again."""
        first = repay(staff, merchant, reference="TX-1").json()["repayment_id"]
        reverse_it(staff, first)
        for late in (repay(staff, merchant, reference="TX-1"), repay(staff, merchant, "5.00", reference="tx-1")):
            assert (late.status_code, late.json()["code"], late.json()["repayment_id"]) == (
                409,
                "repayment_reversed",
                first,
            )
        anew = {"reference": "TX-1", "replaces": first}
        answers = all_at_once([lambda: repay(staff, merchant, "30.00", **anew)] * 6)
        assert len({answer.json()["repayment_id"] for answer in answers}) == 1
        stands(merchant, "30.00", "170.00")
        reverse_it(staff, answers[0].json()["repayment_id"])
        assert repay(staff, merchant, "30.00", **anew).json()["code"] == "repayment_reversed"
        stands(merchant, "60.00", "140.00")

    def test_may_leave_more_used_than_the_limit_which_only_blocks(self, staff: APIClient, merchant: Merchant) -> None:
        made = repay(staff, merchant, "60.00").json()["repayment_id"]
        assert withdraw(merchant_client(merchant), "90.00").status_code == 201
        assert reverse_it(staff, made).status_code == 200
        stands(merchant, "150.00", "50.00")
        assert withdraw(merchant_client(merchant)).json()["code"] == "insufficient_credit"

    def test_is_refused_when_the_pool_has_not_got_it(self, staff: APIClient, merchant: Merchant) -> None:
        made = repay(staff, merchant, "60.00").json()["repayment_id"]
        other = make_merchant(limit="500.00")
        assert withdraw(merchant_client(other), "150.00").status_code == 201
        answer = reverse_it(staff, made)
        assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_pool")
        assert not RepaymentReversal.objects.exists()
        stands(merchant, "0.00", "50.00")

    def test_of_what_is_not_there_is_404(self, staff: APIClient) -> None:
        assert reverse_it(staff, "00000000-0000-7000-8000-000000000000").status_code == 404


class TestALineOfTheBank:
    def imported(self, staff: APIClient, **changes: Any) -> BankStatementLine:
        values = {"booked_on": timezone.now().date(), "reference": "thanks", "amount": Decimal("-20.00"), "account": ""}
        content = written_csv([a_line(**(values | changes))]).decode()
        body = {"name": "today.csv", "content": content}
        assert staff.post("/api/v1/admin/bank-statements", body, format="json").status_code == 201
        return BankStatementLine.objects.get()

    def of_line(self, staff: APIClient, merchant: Merchant, line: BankStatementLine) -> Any:
        return staff.post(PATH, {"merchant_id": merchant.pk, "statement_line_id": line.pk}, format="json")

    def test_is_recorded_once_with_its_amount_and_reference(self, staff: APIClient, merchant: Merchant) -> None:
        line = self.imported(staff, bank_reference="B-7")
        first, again = (self.of_line(staff, merchant, line).json() for _ in range(2))
        assert (first["amount"], first["reference"], first["statement_line_id"]) == ("20.00", "B-7", line.pk)
        assert again == first
        stands(merchant, "40.00", "160.00")
        other = self.of_line(staff, make_merchant(), line)
        assert (other.status_code, other.json()["code"]) == (409, "repayment_conflict")
        reverse_it(staff, first["repayment_id"])
        assert self.of_line(staff, merchant, line).json()["code"] == "repayment_reversed"
        anew = {"merchant_id": merchant.pk, "statement_line_id": line.pk, "replaces": first["repayment_id"]}
        assert staff.post(PATH, anew, format="json").status_code == 201
        stands(merchant, "40.00", "160.00")

    @pytest.mark.parametrize(
        "changes", [{"amount": Decimal("20.00")}, {"reference": "01a2092c-193a-76b5-9b2a-e1108a2c585b"}]
    )
    def test_that_is_no_payment_of_a_merchants_is_refused(
        self, staff: APIClient, merchant: Merchant, changes: dict[str, Any]
    ) -> None:
        answer = self.of_line(staff, merchant, self.imported(staff, **changes))
        assert answer.status_code == 422
        assert self.of_line(staff, merchant, BankStatementLine(pk=999_999)).status_code == 404
        stands(merchant, "60.00", "140.00")


class TestTheBooks:
    @pytest.mark.parametrize(
        ("statement", "sentence"),
        [
            ("UPDATE payments_repayment SET amount = 21", "I3"),
            ("DELETE FROM payments_repayment", "I2"),
            ("UPDATE payments_creditpool SET repaid_amount = 0", "the pool was repaid 0"),
            ("UPDATE payments_ledgerentry SET kind = 'release' WHERE kind = 'repayment'", "repayment"),
        ],
    )
    def test_tell_what_was_changed(self, staff: APIClient, merchant: Merchant, statement: str, sentence: str) -> None:
        repay(staff, merchant)
        forge(statement)
        assert any(sentence in found for found in verify_books().differences)


class TestTheConsole:
    def test_records_and_reverses_one(self, merchant: Merchant) -> None:
        client = Client()
        client.force_login(make_staff(None, TREASURER))
        page = reverse("admin:payments_merchant_repayment", args=[merchant.pk])
        key = client.get(page).context["form"]["key"].value()
        fields = {"amount": "20.00", "reference": "TX-9", "key": key}
        assert [client.post(page, fields).status_code for _ in range(2)] == [302, 302]
        stands(merchant, "40.00", "160.00")
        made = Repayment.objects.get()
        back = reverse("admin:payments_repayment_reverse", args=[made.pk])
        key = client.get(back).context["form"]["key"].value()
        assert client.post(back, {"reason": "wrong", "key": key}).status_code == 302
        stands(merchant, "60.00", "140.00")
        shown = client.get(reverse("admin:payments_repayment_change", args=[made.pk])).content.decode()
        assert "wrong" in shown
        assert client.get(reverse("admin:payments_repayment_export")).getvalue().decode().endswith(",wrong\r\n")
        again = {"amount": "20.00", "reference": " tx-9", "key": client.get(page).context["form"]["key"].value()}
        answer = client.post(page, again)
        assert (answer.status_code, "was reversed" in answer.content.decode()) == (409, True)
        stands(merchant, "60.00", "140.00")
        anew = {**again, "key": answer.context["form"]["key"].value(), "anew": "on"}
        assert client.post(page, anew).status_code == 302
        stands(merchant, "40.00", "160.00")
        back = reverse("admin:payments_repayment_reverse", args=[Repayment.objects.get(number=1).pk])
        client.post(back, {"reason": "wrong", "key": client.get(back).context["form"]["key"].value()})
        assert CreditPool.objects.get().repaid_amount == 0
