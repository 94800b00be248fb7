"""Whatever happens in whatever order, the invariants hold after every step and a model predicts every balance."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from rest_framework.test import APIClient

from payments.account_statements.selectors import MOST_ENTRIES, Period, statement_get
from payments.books import checks, settlement
from payments.dispatch.services import dispatch_due
from payments.models import CreditPool, Merchant, MerchantCredit, OutcomeDecision, Withdrawal
from payments.request_log.writer import writer
from payments.tests.factories import make_merchant, merchant_client, staff_client, unique_name, withdraw
from payments.withdrawals.settlement_client import settlement_client

# how the bank treats an account: what the first answer is, and how it ends once the dispatcher asked again
PAID, REFUSED, UNKNOWN_THEN_PAID, NEVER_KNOWN = "settled", "failed", "pending-settled", "pending"
ACCOUNTS = {
    "IRTEST0000000000001": PAID,
    "IRTESTREFUSED0000001": REFUSED,
    "IRTESTTIMEOUT0000001": UNKNOWN_THEN_PAID,
    "IRTESTERROR000000001": UNKNOWN_THEN_PAID,
    "IRTESTGARBLED0000001": UNKNOWN_THEN_PAID,
    "IRTESTDOWN0000000001": NEVER_KNOWN,
}
FIRST_STATUS = {PAID: 201, REFUSED: 409, UNKNOWN_THEN_PAID: 202, NEVER_KNOWN: 202}
DECIDED = {"paid": PAID, "refused": REFUSED}
AMOUNTS = st.sampled_from([Decimal(text) for text in ("0.01", "0.99", "1.00", "2.50", "4.00")])
LIMITS = st.sampled_from([Decimal(text) for text in ("0.50", "2.50", "5.00", "9.99")])
FUNDS = st.sampled_from([Decimal(text) for text in ("1.00", "7.51", "20.00")])


@dataclass(eq=False)
class Asked:
    """A withdrawal that was asked for, and its answer."""

    merchant: "ModelMerchant"
    amount: Decimal
    key: str
    answer: Any
    decided: str | None = None


@dataclass(eq=False)
class ModelMerchant:
    """What the model knows of a merchant."""

    merchant: Merchant
    bank: str
    client: APIClient
    limit: Decimal | None = None
    active: bool = False
    used: Decimal = Decimal(0)
    pending: list[Asked] = field(default_factory=list)
    repaid: list[tuple[str, Decimal]] = field(default_factory=list)


class Books(RuleBasedStateMachine):
    merchants: Bundle[ModelMerchant] = Bundle("merchants")
    asked: Bundle[Asked] = Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        assert writer().flush()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT payments_sandbox_clear()")
        settlement_client().clear_sandbox()
        self.staff, self.second = staff_client(), staff_client()
        self.pool = Decimal(0)
        self.known: list[ModelMerchant] = []

    def post(self, path: str, **body: object) -> Any:
        return self.staff.post(f"/api/v1/admin/{path}", body, format="json")

    @initialize(target=merchants, funds=FUNDS, limits=st.lists(LIMITS, min_size=len(ACCOUNTS), max_size=len(ACCOUNTS)))
    def some_merchants_and_funds(self, funds: Decimal, limits: list[Decimal]) -> Any:
        """So that most steps move money; registering and approving go on beside."""
        self.top_up(funds)
        made = [self._register(account) for account in sorted(ACCOUNTS)]
        for one, limit in zip(made, limits, strict=True):
            self.approve(one, limit)
        return multiple(*made)

    @rule(target=merchants, account=st.sampled_from(sorted(ACCOUNTS)))
    def register(self, account: str) -> ModelMerchant:
        return self._register(account)

    def _register(self, account: str) -> ModelMerchant:
        merchant = make_merchant(account=account, username=unique_name("machine"), approved=False)
        one = ModelMerchant(merchant, ACCOUNTS[account], merchant_client(merchant))
        self.known.append(one)
        return one

    @rule(one=merchants, limit=LIMITS)
    def approve(self, one: ModelMerchant, limit: Decimal) -> None:
        answer = self.post("approve", merchant_id=one.merchant.pk, credit_limit=str(limit))
        assert answer.status_code == (200 if one.limit is None else 409)
        if one.limit is None:
            one.limit, one.active = limit, True

    @rule(one=merchants, limit=LIMITS)
    def change_limit(self, one: ModelMerchant, limit: Decimal) -> None:
        answer = self.post("credit-limit", merchant_id=one.merchant.pk, credit_limit=str(limit))
        assert answer.status_code == (409 if one.limit is None else 200)
        one.limit = None if one.limit is None else limit

    @rule(one=merchants)
    def suspend_or_reinstate(self, one: ModelMerchant) -> None:
        act = "suspend" if one.active else "reinstate"
        answer = self.post(act, merchant_id=one.merchant.pk)
        assert answer.status_code == (409 if one.limit is None else 200)
        one.active = one.limit is not None and not one.active

    @rule(amount=FUNDS)
    def top_up(self, amount: Decimal) -> None:
        assert self.post("pool/topup", amount=str(amount)).status_code == 200
        self.pool += amount

    @rule(amount=FUNDS, sign=st.sampled_from([1, -1]))
    def adjust_the_pool(self, amount: Decimal, sign: int) -> None:
        asked = self.post("pool/adjustments", amount=str(sign * amount), reason="counted").json()["approval_id"]
        assert self.post("approvals/approve", approval_id=asked).json()["code"] == "second_person_needed"
        is_there = self.pool + sign * amount >= 0
        answer = self._approve(asked)
        assert answer.status_code == (200 if is_there else 409), answer.content
        self.pool += sign * amount if is_there else 0

    def _approve(self, asked: str) -> Any:
        return self.second.post("/api/v1/admin/approvals/approve", {"approval_id": asked}, format="json")

    @rule(one=merchants, outcome=st.sampled_from(["paid", "refused"]))
    def decide_an_outcome(self, one: ModelMerchant, outcome: str) -> None:
        """Two people end the first pending withdrawal of a bank that never answers; the dispatcher carries it out."""
        if one.bank != NEVER_KNOWN or not one.pending:
            return
        this = one.pending.pop(0)
        withdrawal_id = this.answer.json()["id"]
        Withdrawal.objects.filter(pk=withdrawal_id).update(overdue_since=timezone.now())
        fields = {"outcome": outcome, "evidence": "told by the bank", "bank_reference": "ref"}
        asked = self.post(f"withdrawals/{withdrawal_id}/outcome", **fields).json()["approval_id"]
        assert self._approve(asked).status_code == 200
        # the others are another rule's
        others = Withdrawal.objects.filter(state="pending").exclude(pk=withdrawal_id)
        others.update(next_attempt_at=timezone.now() + timedelta(hours=1))
        dispatch_due()
        assert OutcomeDecision.objects.get(pk=asked).result == "carried_out"
        event(f"decided {outcome}")
        this.decided = outcome
        if outcome == "refused":
            one.used -= this.amount
            self.pool += this.amount

    @rule(one=merchants, amount=AMOUNTS)
    def repay(self, one: ModelMerchant, amount: Decimal) -> None:
        """What is pending may still fail, so only the rest is owed."""
        owed = one.used - sum((this.amount for this in one.pending), Decimal(0))
        answer = self.post(
            "repayments", merchant_id=one.merchant.pk, amount=str(amount), reference=unique_name("bank-")
        )
        expected = 409 if one.limit is None or amount > owed else 201
        assert answer.status_code == expected, answer.content
        event(f"repaid {expected}")
        if expected == 201:
            one.used -= amount
            self.pool += amount
            one.repaid.append((answer.json()["repayment_id"], amount))

    @rule(one=merchants)
    def take_a_repayment_back(self, one: ModelMerchant) -> None:
        if not one.repaid:
            return
        repayment_id, amount = one.repaid[-1]
        answer = self.post(f"repayments/{repayment_id}/reverse", reason="another merchant's")
        assert answer.status_code == (200 if amount <= self.pool else 409), answer.content
        if answer.status_code == 200:
            one.used += amount
            self.pool -= amount
            one.repaid.pop()

    def _expected_refusal(self, one: ModelMerchant, amount: Decimal) -> str | None:
        if not one.active:
            return "merchant_not_active"
        if one.limit is None or one.used + amount > one.limit:
            return "insufficient_credit"
        return "insufficient_pool" if amount > self.pool else None

    @rule(target=asked, one=merchants, amount=AMOUNTS)
    def withdraw(self, one: ModelMerchant, amount: Decimal) -> Asked:
        return self._withdraw(one, amount)

    @rule(target=asked, one=merchants, amount=AMOUNTS)
    def withdraw_async(self, one: ModelMerchant, amount: Decimal) -> Asked:
        return self._withdraw(one, amount, respond_async=True)

    def _withdraw(self, one: ModelMerchant, amount: Decimal, *, respond_async: bool = False) -> Asked:
        refusal = self._expected_refusal(one, amount)
        key = unique_name("key-")
        headers = {"Prefer": "respond-async"} if respond_async else {}
        answer = withdraw(one.client, str(amount), key, **headers)
        this = Asked(one, amount, key, answer)
        event(refusal or f"answered {answer.status_code}")
        if refusal is not None:
            assert (answer.status_code, answer.json()["code"]) == (409, refusal)
            return this
        assert answer.status_code == (202 if respond_async else FIRST_STATUS[one.bank]), answer.content
        if answer.status_code != FIRST_STATUS[REFUSED]:
            one.used += amount
            self.pool -= amount
        if answer.status_code == FIRST_STATUS[NEVER_KNOWN]:
            one.pending.append(this)
        return this

    @rule(this=asked)
    def replay(self, this: Asked) -> None:
        answer = withdraw(this.merchant.client, str(this.amount), this.key)
        assert answer.headers["Idempotency-Replayed"] == "true"
        if this.answer.status_code != FIRST_STATUS[NEVER_KNOWN]:
            assert answer.content == this.answer.content
        elif this in this.merchant.pending:
            assert (answer.status_code, answer.json()["id"]) == (202, this.answer.json()["id"])
        else:
            is_refused = REFUSED in {this.merchant.bank, this.decided and DECIDED[this.decided]}
            assert answer.status_code == FIRST_STATUS[REFUSED if is_refused else PAID]

    @rule(this=asked, amount=AMOUNTS)
    def reuse_the_key_for_another_amount(self, this: Asked, amount: Decimal) -> None:
        if amount != this.amount:
            answer = withdraw(this.merchant.client, str(amount), this.key)
            assert (answer.status_code, answer.json()["differs"]) == (422, ["amount"])

    @rule(target=asked)
    def dispatch_until_what_can_be_known_is(self) -> Any:
        for _ in range(2):
            Withdrawal.objects.filter(state="pending").update(next_attempt_at=timezone.now())
            dispatch_due()
        for one in self.known:
            if one.bank == REFUSED:
                released = sum((this.amount for this in one.pending), Decimal(0))
                one.used -= released
                self.pool += released
            if one.bank != NEVER_KNOWN:
                one.pending.clear()
        return multiple()

    def teardown(self) -> None:
        """Statements of all of it, and of every entry on a day of its own, add up to the ledger and chain."""
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE payments_ledgerentry DISABLE TRIGGER USER")
            a_day_each = "'2026-01-01'::timestamptz + number * interval '1 day'"
            cursor.execute(f"UPDATE payments_ledgerentry SET created_at = {a_day_each}")
            cursor.execute("ALTER TABLE payments_ledgerentry ENABLE TRIGGER USER")
        for one in self.known:
            used = Decimal(0)
            for month in range(1, 7):
                statement = statement_get(one.merchant.pk, Period.month(2026, month), MOST_ENTRIES)
                assert statement.opening == used
                assert sum((amount for _, amount in statement.totals.values()), used) == statement.closing
                used = statement.closing
            assert used == one.used
            today = timezone.now().date()
            assert statement_get(one.merchant.pk, Period(today, today), MOST_ENTRIES).closing_limit == one.limit

    @invariant()
    def the_books_agree(self) -> None:
        assert checks.find_differences() == []
        assert list(settlement.find_differences(settlement_client(), None)) == []

    @invariant()
    def the_model_predicts_every_balance(self) -> None:
        assert (CreditPool.objects.get().available_amount) == self.pool
        used = dict(MerchantCredit.objects.values_list("merchant_id", "utilized_amount"))
        assert used == {one.merchant.pk: one.used for one in self.known if one.limit is not None}
        assert Withdrawal.objects.filter(state="pending").count() == sum(len(one.pending) for one in self.known)


@pytest.mark.usefixtures("books")
def test_the_invariants_hold_whatever_happens() -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=20, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
