"""A limit above the threshold takes two people, whoever they are and by whatever way they come."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from rest_framework.test import APIClient

from core.environment import ENVIRONMENT
from payments.approvals import services
from payments.models import ApprovalRequest, AuditEntry, Merchant, MerchantCredit
from payments.tests.factories import (
    client_of,
    fund_pool,
    make_merchant,
    make_staff,
    merchant_client,
    staff_client,
    withdraw,
)
from payments.tests.operator import kept, operator
from payments.tests.test_concurrent_withdrawals import all_at_once

__all__ = ["operator"]

pytestmark = pytest.mark.usefixtures("books", "threshold")


@pytest.fixture
def threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = ENVIRONMENT.model_copy(update={"credit_limit_approval_threshold": Decimal("500.00")})
    monkeypatch.setattr(services, "ENVIRONMENT", limited)


@pytest.fixture
def second() -> APIClient:
    """Another member of staff, who was there before anything was asked for."""
    return staff_client()


def post(staff: APIClient, act: str, **fields: Any) -> Any:
    return staff.post(f"/api/v1/admin/{act}", fields, format="json")


def limit_of(merchant: Merchant) -> Decimal | None:
    return MerchantCredit.objects.filter(merchant=merchant).values_list("credit_limit", flat=True).first()


def ask(staff: APIClient, merchant: Merchant, credit_limit: str = "500.01") -> Any:
    answer = post(staff, "credit-limit", merchant_id=merchant.pk, credit_limit=credit_limit)
    assert answer.status_code == 202
    return answer.json()["approval_request"]["approval_id"]


class TestTheThreshold:
    def test_itself_takes_one_person(self) -> None:
        merchant = make_merchant()
        answer = post(staff_client(), "credit-limit", merchant_id=merchant.pk, credit_limit="500.00")
        assert (answer.status_code, answer.json()["approval_request"]) == (200, None)

    def test_is_not_asked_of_a_limit_that_is_lowered(self) -> None:
        merchant = make_merchant(limit="9000.00")
        answer = post(staff_client(), "credit-limit", merchant_id=merchant.pk, credit_limit="8000.00")
        assert (answer.status_code, limit_of(merchant)) == (200, Decimal("8000.00"))

    def test_holds_for_the_first_limit_too(self, second: APIClient) -> None:
        merchant = make_merchant(approved=False)
        answer = post(staff_client(), "approve", merchant_id=merchant.pk, credit_limit="500.01")
        assert (answer.status_code, answer.json()["state"]) == (202, "pending")
        asked = answer.json()["approval_request"]["approval_id"]
        assert post(second, "approvals/approve", approval_id=asked).status_code == 200
        merchant.refresh_from_db()
        assert (merchant.state, limit_of(merchant)) == ("approved", Decimal("500.01"))

    def test_is_asked_after_the_state(self) -> None:
        merchant = make_merchant(approved=False)
        answer = post(staff_client(), "credit-limit", merchant_id=merchant.pk, credit_limit="500.01")
        assert (answer.status_code, answer.json()["code"]) == (409, "merchant_state_conflict")


class TestADecision:
    def test_is_not_of_who_asked_superusers_included(self) -> None:
        user = make_staff()
        user.is_superuser = True
        user.save()
        merchant, staff = make_merchant(), client_of(user)
        asked = ask(staff, merchant)
        for act in ("approvals/approve", "approvals/refuse"):
            answer = post(staff, act, approval_id=asked)
            assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed")
        assert limit_of(merchant) == Decimal("100.00")

    def test_sets_the_limit_and_is_final(self, second: APIClient) -> None:
        merchant = make_merchant()
        asked = ask(staff_client(), merchant)
        decided = post(second, "approvals/approve", approval_id=asked, reason="seen the papers").json()
        assert (decided["state"], decided["reason"], limit_of(merchant)) == (
            "approved",
            "seen the papers",
            Decimal("500.01"),
        )
        for act in ("approvals/approve", "approvals/refuse"):
            assert post(second, act, approval_id=asked).json()["code"] == "approval_decided"

    def test_to_refuse_leaves_the_limit(self, second: APIClient) -> None:
        merchant = make_merchant()
        asked = ask(staff_client(), merchant)
        assert post(second, "approvals/refuse", approval_id=asked).json()["state"] == "refused"
        assert limit_of(merchant) == Decimal("100.00")

    def test_by_two_at_once_is_one(self) -> None:
        merchant = make_merchant()
        people = iter([staff_client() for _ in range(4)])
        asked = ask(staff_client(), merchant)
        answers = all_at_once([lambda: post(next(people), "approvals/approve", approval_id=asked)] * 4)
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]

    def test_is_in_the_audit_with_both(self) -> None:
        merchant, first, second = make_merchant(), make_staff(), make_staff()
        asked = ask(client_of(first), merchant)
        post(client_of(second), "approvals/approve", approval_id=asked)
        found = AuditEntry.objects.filter(merchant_id=merchant.pk).order_by("pk").values_list("actor", "action")
        assert list(found)[-3:] == [
            (f"staff:{first.username}", "approval_requested"),
            (f"staff:{second.username}", "approval_approved"),
            (f"staff:{second.username}", "credit_limit_changed"),
        ]

    def test_of_what_no_merchant_can_have_any_more_changes_nothing(self, second: APIClient) -> None:
        merchant = make_merchant(approved=False)
        asked = post(staff_client(), "approve", merchant_id=merchant.pk, credit_limit="900.00").json()
        post(staff_client(), "refuse", merchant_id=merchant.pk)
        answer = post(second, "approvals/approve", approval_id=asked["approval_request"]["approval_id"])
        assert answer.json()["code"] == "merchant_state_conflict"
        assert ApprovalRequest.objects.get().state == "requested"

    def test_of_an_unknown_request_is_404(self) -> None:
        unknown = "00000000-0000-0000-0000-000000000000"
        assert post(staff_client(), "approvals/approve", approval_id=unknown).status_code == 404

    def test_is_not_a_merchants(self) -> None:
        assert post(merchant_client(make_merchant()), "approvals/approve", approval_id="x").status_code == 403


class TestRequests:
    def test_asked_again_are_one(self) -> None:
        merchant, staff = make_merchant(), staff_client()
        assert ask(staff, merchant) == ask(staff, merchant)

    def test_for_another_limit_take_the_place_of_the_first(self) -> None:
        merchant, staff = make_merchant(), staff_client()
        first, second = ask(staff, merchant), ask(staff, merchant, "700.00")
        assert post(staff_client(), "approvals/approve", approval_id=first).json()["code"] == "approval_decided"
        listed = staff.get("/api/v1/admin/approvals?state=requested").json()["results"]
        assert [each["approval_id"] for each in listed] == [second]

    def test_are_withdrawn_by_a_limit_that_is_set(self) -> None:
        merchant, staff = make_merchant(), staff_client()
        ask(staff, merchant)
        assert post(staff, "credit-limit", merchant_id=merchant.pk, credit_limit="300.00").status_code == 200
        assert ApprovalRequest.objects.get().state == "withdrawn"


class TestTheDatabase:
    def test_holds_that_the_two_differ(self) -> None:
        user = make_staff()
        asked = ask(client_of(user), make_merchant())
        with pytest.raises(IntegrityError, match="approval_by_two_people"), transaction.atomic():
            ApprovalRequest.objects.filter(pk=asked).update(
                state="approved", decided_by=user, decided_at="2026-01-01T00:00:00Z"
            )

    def test_holds_that_a_decision_is_final(self, second: APIClient) -> None:
        asked = ask(staff_client(), make_merchant())
        post(second, "approvals/refuse", approval_id=asked)
        with pytest.raises(IntegrityError, match="cannot change"), transaction.atomic():
            ApprovalRequest.objects.filter(pk=asked).update(state="requested", decided_by=None, decided_at=None)

    def test_keeps_the_audit(self) -> None:
        ask(staff_client(), make_merchant())
        with pytest.raises(ProgrammingError, match="kept for ever"), transaction.atomic():
            AuditEntry.objects.update(actor="nobody")


@pytest.mark.urls("core.internal_urls")
class TestTheOperator:
    def test_waits_for_staff(self, operator: APIClient, second: APIClient, settings: Any) -> None:
        members = kept(operator)
        assert (members["state"], members["approval_request"]["credit_limit"]) == ("pending", "1000.00")
        assert kept(operator) == members
        settings.ROOT_URLCONF = "core.urls"
        asked = members["approval_request"]["approval_id"]
        decided = post(second, "approvals/approve", approval_id=asked).json()
        assert decided["requested_for"] == "operator:team-a/shop-1"
        settings.ROOT_URLCONF = "core.internal_urls"
        members = kept(operator)
        assert (members["state"], members["credit_limit"], members["approval_request"]) == ("approved", "1000.00", None)

    def test_does_not_ask_again_for_what_staff_refused(
        self, operator: APIClient, second: APIClient, settings: Any
    ) -> None:
        asked = kept(operator)["approval_request"]["approval_id"]
        settings.ROOT_URLCONF = "core.urls"
        post(second, "approvals/refuse", approval_id=asked, reason="too much")
        settings.ROOT_URLCONF = "core.internal_urls"
        members = kept(operator)
        assert members["approval_request"] is None
        assert members["drift"][0]["detail"] == "staff refused this limit: too much"
        assert kept(operator, generation=2)["approval_request"] is not None

    def test_takes_back_what_it_no_longer_wishes(self, operator: APIClient) -> None:
        kept(operator)
        members = kept(operator, generation=2, credit_limit="400.00")
        assert (members["state"], members["credit_limit"], members["approval_request"]) == ("approved", "400.00", None)
        assert ApprovalRequest.objects.get().state == "withdrawn"

    def test_does_not_put_a_high_limit_right_alone(self, operator: APIClient, second: APIClient, settings: Any) -> None:
        merchant_id = kept(operator, credit_limit="400.00")["merchant_id"]
        asked = kept(operator, generation=2)["approval_request"]["approval_id"]
        settings.ROOT_URLCONF = "core.urls"
        post(second, "approvals/approve", approval_id=asked)
        settings.ROOT_URLCONF = "core.internal_urls"
        kept(operator, generation=2)
        settings.ROOT_URLCONF = "core.urls"
        post(staff_client(), "credit-limit", merchant_id=merchant_id, credit_limit="10.00")
        settings.ROOT_URLCONF = "core.internal_urls"
        members = kept(operator, generation=2)
        assert (members["credit_limit"], members["drift"][0]["corrected"]) == ("10.00", False)
        assert members["approval_request"]["credit_limit"] == "1000.00"

    @pytest.mark.parametrize("policy", ["report", "correct"])
    def test_leaves_what_staff_ask_for(
        self, operator: APIClient, second: APIClient, settings: Any, policy: str
    ) -> None:
        merchant_id = kept(operator, credit_limit="400.00", drift_policy=policy)["merchant_id"]
        settings.ROOT_URLCONF = "core.urls"
        asked = ask(staff_client(), Merchant.objects.get(pk=merchant_id), "900.00")
        settings.ROOT_URLCONF = "core.internal_urls"
        members = kept(operator, credit_limit="400.00", drift_policy=policy)
        assert members["approval_request"]["approval_id"] == asked
        settings.ROOT_URLCONF = "core.urls"
        assert post(second, "approvals/approve", approval_id=asked).status_code == 200
        assert limit_of(Merchant.objects.get(pk=merchant_id)) == Decimal("900.00")

    def test_leaves_the_approval_that_staff_ask_for(
        self, operator: APIClient, second: APIClient, settings: Any
    ) -> None:
        merchant_id = kept(operator, approved=False)["merchant_id"]
        settings.ROOT_URLCONF = "core.urls"
        answer = post(staff_client(), "approve", merchant_id=merchant_id, credit_limit="900.00").json()
        settings.ROOT_URLCONF = "core.internal_urls"
        kept(operator, approved=False)
        settings.ROOT_URLCONF = "core.urls"
        asked = answer["approval_request"]["approval_id"]
        assert post(second, "approvals/approve", approval_id=asked).json()["state"] == "approved"

    def test_does_not_ask_in_the_place_of_staff_before_the_object_changes(
        self, operator: APIClient, settings: Any
    ) -> None:
        merchant_id = kept(operator)["merchant_id"]
        settings.ROOT_URLCONF = "core.urls"
        answer = post(staff_client(), "approve", merchant_id=merchant_id, credit_limit="800.00").json()
        settings.ROOT_URLCONF = "core.internal_urls"
        theirs = answer["approval_request"]["approval_id"]
        assert kept(operator)["approval_request"]["approval_id"] == theirs
        ours = kept(operator, generation=2)["approval_request"]
        assert (ours["credit_limit"], ours["approval_id"] != theirs) == ("1000.00", True)

    def test_raises_nothing_of_a_merchant_that_is_closing(
        self, operator: APIClient, second: APIClient, settings: Any
    ) -> None:
        fund_pool()
        merchant_id = kept(operator, credit_limit="400.00")["merchant_id"]
        merchant = Merchant.objects.get(pk=merchant_id)
        settings.ROOT_URLCONF = "core.urls"
        assert withdraw(merchant_client(merchant), "7.00").status_code == 201
        asked = ask(staff_client(), merchant, "900.00")
        settings.ROOT_URLCONF = "core.internal_urls"
        members = kept(operator, credit_limit="400.00", generation=2, deletion="close")
        assert (members["released"], members["approval_request"]) == (False, None)
        settings.ROOT_URLCONF = "core.urls"
        assert post(second, "approvals/approve", approval_id=asked).json()["code"] == "approval_decided"
        assert limit_of(merchant) == Decimal("400.00")

    def test_leaves_what_staff_ask_for_when_it_lets_a_merchant_go(self, operator: APIClient, settings: Any) -> None:
        merchant_id = kept(operator, credit_limit="400.00")["merchant_id"]
        settings.ROOT_URLCONF = "core.urls"
        asked = ask(staff_client(), Merchant.objects.get(pk=merchant_id), "900.00")
        settings.ROOT_URLCONF = "core.internal_urls"
        members = kept(operator, credit_limit="400.00", generation=2, deletion="retain")
        assert (members["released"], members["approval_request"]["approval_id"]) == (True, asked)
