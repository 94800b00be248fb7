"""Adjustments of the pool and outcomes that nobody could tell: two people, once, and the books agree."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from etebar_quickstart.process import ManagedProcess
from payments.books.services import verify_books
from payments.dispatch import decisions
from payments.dispatch.services import dispatch_due
from payments.models import (
    ApprovalRequest,
    AuditEntry,
    CreditPool,
    LedgerEntry,
    OutcomeDecision,
    PoolAdjustment,
    Withdrawal,
)
from payments.state import selectors as state
from payments.tests.factories import (
    balances,
    client_of,
    fund_pool,
    make_merchant,
    make_staff,
    merchant_client,
    staff_client,
    unique_name,
    withdraw,
)
from payments.withdrawals.services import withdrawals_settle
from payments.withdrawals.settlement_client import settlement_client

pytestmark = pytest.mark.usefixtures("books")

DOWN = "IRTESTDOWN0000000001"
EVIDENCE = {"evidence": "the bank's statement of today", "bank_reference": "MT940/77"}


@pytest.fixture
def first() -> APIClient:
    return staff_client()


@pytest.fixture
def second() -> APIClient:
    """Another member of staff, who was there before anything was asked for."""
    return staff_client()


@pytest.fixture(autouse=True)
def _funded(books: None) -> None:
    fund_pool("100.00")


def post(staff: APIClient, act: str, **fields: Any) -> Any:
    return staff.post(f"/api/v1/admin/{act}", fields, format="json")


def ask_adjustment(staff: APIClient, amount: str) -> str:
    answer = post(staff, "pool/adjustments", amount=amount, reason="counted twice")
    assert answer.status_code == 202, answer.content
    return str(answer.json()["approval_id"])


def flagged(amount: str = "7.00", account: str = DOWN) -> Withdrawal:
    """A withdrawal whose bank never answers, past the budget."""
    client = merchant_client(make_merchant(account=account))
    withdrawal_id = withdraw(client, amount, f"key-{account}", Prefer="respond-async").json()["id"]
    Withdrawal.objects.filter(pk=withdrawal_id).update(overdue_since=timezone.now())
    return Withdrawal.objects.get(pk=withdrawal_id)


def ask_outcome(staff: APIClient, withdrawal: Withdrawal, outcome: str = "paid") -> str:
    answer = post(staff, f"withdrawals/{withdrawal.pk}/outcome", outcome=outcome, **EVIDENCE)
    assert answer.status_code == 202, answer.content
    return str(answer.json()["approval_id"])


def decide_outcome(first: APIClient, second: APIClient, withdrawal: Withdrawal, outcome: str = "paid") -> str:
    asked = ask_outcome(first, withdrawal, outcome)
    assert post(second, "approvals/approve", approval_id=asked).status_code == 200
    return asked


def dispatch_all() -> int:
    Withdrawal.objects.filter(state="pending").update(next_attempt_at=timezone.now())
    return dispatch_due()


class TestAnAdjustment:
    @pytest.mark.parametrize(("amount", "available"), [("-30.00", "70.00"), ("5.50", "105.50"), ("-100.00", "0.00")])
    def test_moves_the_pool_when_somebody_else_approves(
        self, first: APIClient, second: APIClient, amount: str, available: str
    ) -> None:
        asked = ask_adjustment(first, amount)
        assert CreditPool.objects.get().available_amount == Decimal("100.00")
        assert post(second, "approvals/approve", approval_id=asked).json()["state"] == "approved"
        pool = first.get("/api/v1/admin/pool").json()
        assert pool == {"available_amount": available, "funded_amount": "100.00", "adjusted_amount": amount}
        entries = LedgerEntry.objects.filter(kind="adjustment").values_list("account", "amount", "balance_after")
        assert sorted(entries) == [
            ("adjustment", -Decimal(amount), -Decimal(amount)),
            ("pool", Decimal(amount), Decimal(available)),
        ]
        assert verify_books().differences == []

    def test_takes_two_people_superusers_included(self) -> None:
        user = make_staff()
        user.is_superuser = True
        user.save()
        asked = ask_adjustment(client_of(user), "1.00")
        answer = post(client_of(user), "approvals/approve", approval_id=asked)
        assert answer.json()["code"] == "second_person_needed"
        young = post(staff_client(), "approvals/approve", approval_id=asked)
        assert young.json()["code"] == "second_person_needed"
        assert CreditPool.objects.get().available_amount == Decimal("100.00")

    def test_never_takes_what_the_pool_does_not_have(self, first: APIClient, second: APIClient) -> None:
        asked = ask_adjustment(first, "-100.01")
        answer = post(second, "approvals/approve", approval_id=asked)
        assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_pool")
        assert ApprovalRequest.objects.get().state == "requested"
        fund_pool("0.01")
        assert post(second, "approvals/approve", approval_id=asked).status_code == 200
        assert verify_books().differences == []

    def test_to_more_than_a_column_holds_is_refused(self, first: APIClient, second: APIClient) -> None:
        asked = ask_adjustment(first, "999999999999999999.99")
        assert post(second, "approvals/approve", approval_id=asked).status_code == 422

    def test_that_is_refused_moves_nothing(self, first: APIClient, second: APIClient) -> None:
        asked = ask_adjustment(first, "-1.00")
        post(second, "approvals/refuse", approval_id=asked)
        assert not PoolAdjustment.objects.exists()

    @pytest.mark.parametrize("amount", ["0.00", "-0", "--1.00", "1.001", 5, "- 1.00"])
    def test_of_what_is_no_amount_is_refused(self, first: APIClient, amount: object) -> None:
        assert post(first, "pool/adjustments", amount=amount, reason="r").status_code == 422

    def test_needs_a_reason(self, first: APIClient) -> None:
        assert post(first, "pool/adjustments", amount="1.00").status_code == 422

    def test_is_asked_for_once_under_a_key(self, first: APIClient) -> None:
        headers = {"Idempotency-Key": unique_name("key-")}
        body = {"amount": "1.00", "reason": "r"}
        answers = [first.post("/api/v1/admin/pool/adjustments", body, format="json", headers=headers) for _ in range(2)]
        assert answers[0].content == answers[1].content
        assert ApprovalRequest.objects.count() == 1

    def test_is_not_a_merchants(self) -> None:
        answer = post(merchant_client(make_merchant()), "pool/adjustments", amount="1.00", reason="r")
        assert answer.status_code == 403


class TestAnOutcome:
    @pytest.mark.parametrize(
        ("outcome", "state", "failure"), [("paid", "settled", ""), ("refused", "failed", "decided_by_staff")]
    )
    def test_is_carried_out_by_the_dispatcher(
        self, first: APIClient, second: APIClient, outcome: str, state: str, failure: str
    ) -> None:
        withdrawal = flagged()
        asked = decide_outcome(first, second, withdrawal, outcome)
        withdrawal.refresh_from_db()
        assert withdrawal.state == "pending"
        assert dispatch_due() == 1
        withdrawal.refresh_from_db()
        assert (withdrawal.state, withdrawal.failure_code) == (state, failure)
        left = "93.00" if outcome == "paid" else "100.00"
        assert balances(withdrawal.merchant).pool == Decimal(left)
        assert OutcomeDecision.objects.get(pk=asked).result == "carried_out"
        assert first.get("/api/v1/admin/approvals").json()["results"][0]["result"] == "carried_out"
        assert verify_books().differences == []

    def test_is_the_stored_answer_of_the_key(self, first: APIClient, second: APIClient) -> None:
        withdrawal = flagged()
        decide_outcome(first, second, withdrawal, "refused")
        dispatch_due()
        answer = withdraw(merchant_client(withdrawal.merchant), "7.00", f"key-{DOWN}")
        assert (answer.status_code, answer.json()["code"]) == (409, "payout_failed")
        assert answer.json()["withdrawal"]["failure_code"] == "decided_by_staff"
        assert answer.headers["Idempotency-Replayed"] == "true"

    def test_is_in_the_audit_with_both_people_and_the_evidence(self) -> None:
        one, other, withdrawal = make_staff(), make_staff(), flagged()
        decide_outcome(client_of(one), client_of(other), withdrawal)
        entries = AuditEntry.objects.filter(merchant_id=withdrawal.merchant_id).order_by("-pk")[:2]
        assert [(entry.actor, entry.action) for entry in entries] == [
            (f"staff:{other.username}", "approval_approved"),
            (f"staff:{one.username}", "approval_requested"),
        ]
        for entry in entries:
            assert entry.detail["withdrawal_id"] == str(withdrawal.pk)
            assert (entry.detail["grounds"], entry.detail["bank_reference"]) == tuple(EVIDENCE.values())

    def test_waits_while_settlement_is_away(
        self, first: APIClient, second: APIClient, settlement: ManagedProcess
    ) -> None:
        withdrawal = flagged()
        decide_outcome(first, second, withdrawal)
        settlement.stop()
        try:
            assert dispatch_due() == 0
        finally:
            settlement.start()
            settlement.wait_ready()
        assert OutcomeDecision.objects.get().result == ""
        # and SREs see for how long
        assert state.money().decision_oldest_seconds > 0
        assert dispatch_all() == 1
        withdrawal.refresh_from_db()
        assert withdrawal.state == "settled"
        assert state.money().decision_oldest_seconds == 0

    def test_that_the_time_did_not_reach_is_brought_by_the_next_run(
        self, first: APIClient, second: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        withdrawal = flagged()
        decide_outcome(first, second, withdrawal)
        with monkeypatch.context() as slow:
            slow.setattr(decisions, "BRING_SECONDS", 0.0)
            assert dispatch_due() == 0
        assert dispatch_all() == 1
        withdrawal.refresh_from_db()
        assert withdrawal.state == "settled"

    def test_that_settlement_knows_better_is_overtaken(self, first: APIClient, second: APIClient) -> None:
        withdrawal = flagged(account="IRTEST0000000000001")
        decide_outcome(first, second, withdrawal, "refused")
        withdrawals_settle([withdrawal])
        assert dispatch_due() == 1
        withdrawal.refresh_from_db()
        assert (withdrawal.state, OutcomeDecision.objects.get().result) == ("settled", "overtaken")
        assert verify_books().differences == []

    def test_whose_withdrawal_an_older_question_ended_is_noted_as_overtaken(
        self, first: APIClient, second: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        withdrawal = flagged(account="IRTEST0000000000001")
        decide_outcome(first, second, withdrawal, "refused")
        with monkeypatch.context() as older:
            # a dispatcher that looked before the decision was there
            older.setattr("payments.dispatch.services.decisions_of", lambda _: {})
            older.setattr("payments.dispatch.services.decisions_end", lambda _: 0)
            assert dispatch_due() == 1
        withdrawal.refresh_from_db()
        assert (withdrawal.state, OutcomeDecision.objects.get().result) == ("settled", "")
        dispatch_due()
        assert OutcomeDecision.objects.get().result == "overtaken"

    def test_whose_note_was_lost_in_a_crash_is_noted_by_the_next_run(
        self, first: APIClient, second: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        withdrawal = flagged()
        decide_outcome(first, second, withdrawal)
        with monkeypatch.context() as dying:
            dying.setattr(decisions, "_end", lambda *_: None)
            dispatch_due()
        assert (Withdrawal.objects.get().state, OutcomeDecision.objects.get().result) == ("settled", "")
        dispatch_due()
        assert OutcomeDecision.objects.get().result == "carried_out"

    def test_of_a_payout_that_settlement_knows_with_other_content_concludes_nothing(
        self, first: APIClient, second: APIClient
    ) -> None:
        withdrawal = flagged(account="IRTEST0000000000001")
        other = Withdrawal(
            pk=withdrawal.pk,
            merchant_id=withdrawal.merchant_id,
            wallet_account=withdrawal.wallet_account,
            amount=Decimal("8.00"),
        )
        withdrawals_settle([other])
        decide_outcome(first, second, withdrawal, "refused")
        assert dispatch_due() == 0
        withdrawal.refresh_from_db()
        assert (withdrawal.state, OutcomeDecision.objects.get().result) == ("pending", "")

    def test_is_never_paid_later(self, first: APIClient, second: APIClient) -> None:
        withdrawal = flagged(account="IRTEST0000000000001")
        decide_outcome(first, second, withdrawal, "refused")
        dispatch_due()
        assert withdrawals_settle([withdrawal])[withdrawal.pk].outcome == "refused"
        (payout,) = settlement_client().lookup([withdrawal.pk])
        assert (payout["state"], payout["evidence"]) == ("refused", str(OutcomeDecision.objects.get().pk))


class TestAskingForAnOutcome:
    def conflict(self, staff: APIClient, withdrawal: Withdrawal) -> Any:
        answer = post(staff, f"withdrawals/{withdrawal.pk}/outcome", outcome="paid", **EVIDENCE)
        assert (answer.status_code, answer.json()["code"]) == (409, "withdrawal_state_conflict")
        return answer.json()

    def test_of_one_that_is_not_flagged_is_refused(self, first: APIClient) -> None:
        withdrawal = flagged()
        Withdrawal.objects.update(overdue_since=None)
        assert "not flagged" in self.conflict(first, withdrawal)["detail"]

    def test_of_one_that_is_final_is_refused(self, first: APIClient) -> None:
        withdrawal = flagged(account="IRTEST0000000000001")
        dispatch_due()
        assert self.conflict(first, withdrawal)["state"] == "settled"

    def test_of_one_that_was_decided_is_refused(self, first: APIClient, second: APIClient) -> None:
        withdrawal = flagged()
        decide_outcome(first, second, withdrawal)
        assert "decided it already" in self.conflict(first, withdrawal)["detail"]

    def test_of_an_unknown_one_is_404(self, first: APIClient) -> None:
        assert post(first, f"withdrawals/{uuid4()}/outcome", outcome="paid", **EVIDENCE).status_code == 404

    @pytest.mark.parametrize("missing", ["outcome", "evidence", "bank_reference"])
    def test_without_evidence_is_refused(self, first: APIClient, missing: str) -> None:
        fields = {"outcome": "paid", **EVIDENCE}
        del fields[missing]
        assert post(first, f"withdrawals/{flagged().pk}/outcome", **fields).status_code == 422

    def test_again_is_one_request_and_otherwise_takes_its_place(self, first: APIClient) -> None:
        withdrawal = flagged()
        one = ask_outcome(first, withdrawal)
        assert ask_outcome(first, withdrawal) == one
        other = ask_outcome(first, withdrawal, "refused")
        states = dict(ApprovalRequest.objects.values_list("pk", "state"))
        assert {str(pk): state for pk, state in states.items()} == {one: "withdrawn", other: "requested"}

    def test_is_not_decided_by_who_asked(self, first: APIClient) -> None:
        asked = ask_outcome(first, flagged())
        answer = post(first, "approvals/approve", approval_id=asked)
        assert answer.json()["code"] == "second_person_needed"
        assert not OutcomeDecision.objects.exists()

    def test_that_became_known_before_the_approval_changes_nothing(self, first: APIClient, second: APIClient) -> None:
        withdrawal = flagged(account="IRTEST0000000000001")
        asked = ask_outcome(first, withdrawal, "refused")
        dispatch_due()
        answer = post(second, "approvals/approve", approval_id=asked)
        assert answer.json()["code"] == "withdrawal_state_conflict"
        assert post(second, "approvals/refuse", approval_id=asked).status_code == 200


class TestTheList:
    def test_is_filtered_by_kind(self, first: APIClient) -> None:
        adjustment, outcome = ask_adjustment(first, "1.00"), ask_outcome(first, flagged())
        for kind, expected in (("pool_adjustment", adjustment), ("unknown_outcome", outcome)):
            listed = first.get(f"/api/v1/admin/approvals?kind={kind}").json()["results"]
            assert [each["approval_id"] for each in listed] == [expected]
        assert first.get("/api/v1/admin/approvals?kind=nothing").status_code == 422


class TestTheDatabase:
    @pytest.mark.parametrize("ask", [lambda staff: ask_adjustment(staff, "1.00"), lambda s: ask_outcome(s, flagged())])
    def test_holds_that_the_two_differ(self, ask: Any) -> None:
        user = make_staff()
        asked = ask(client_of(user))
        with pytest.raises(IntegrityError, match="approval_by_two_people"), transaction.atomic():
            ApprovalRequest.objects.filter(pk=asked).update(
                state="approved", decided_by=user, decided_at=timezone.now()
            )

    def test_holds_that_an_adjustment_was_approved_as_it_is(self, first: APIClient, second: APIClient) -> None:
        asked = ask_adjustment(first, "-1.00")
        row = {"amount": Decimal("-1.00"), "reason": "r", "created_at": timezone.now()}
        people = {"asked_by": make_staff(), "decided_by": make_staff()}
        with pytest.raises(IntegrityError, match="two people have approved"), transaction.atomic():
            PoolAdjustment.objects.create(pk=asked, **row, **people)
        post(second, "approvals/approve", approval_id=ask_adjustment(first, "-2.00"))
        with pytest.raises(IntegrityError, match="two people have approved"), transaction.atomic():
            PoolAdjustment.objects.create(pk=uuid4(), **row, **people)

    def test_holds_that_an_outcome_was_approved_as_it_is(self, first: APIClient) -> None:
        withdrawal = flagged()
        asked = ask_outcome(first, withdrawal)
        with pytest.raises(IntegrityError, match="two people have approved"), transaction.atomic():
            OutcomeDecision.objects.create(
                approval_id=asked, withdrawal=withdrawal, outcome="paid", created_at=timezone.now()
            )

    def test_keeps_what_was_asked_for_and_what_was_decided(self, first: APIClient, second: APIClient) -> None:
        withdrawal = flagged()
        asked = ask_adjustment(first, "1.00")
        for change in ({"amount": Decimal("2.00")}, {"grounds": "other"}):
            with pytest.raises(IntegrityError, match="cannot change"), transaction.atomic():
                ApprovalRequest.objects.filter(pk=asked).update(**change)
        decide_outcome(first, second, withdrawal)
        with pytest.raises(IntegrityError, match="cannot change"), transaction.atomic():
            OutcomeDecision.objects.update(outcome="refused")
        post(second, "approvals/approve", approval_id=asked)
        with pytest.raises(ProgrammingError, match="kept for ever"), transaction.atomic():
            PoolAdjustment.objects.update(amount=Decimal("2.00"))
