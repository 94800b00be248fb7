"""Merchants kept as Kubernetes objects: one PUT, whatever the difference is, as often as it is sent."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings
from rest_framework.test import APIClient

from payments.models import AuditEntry, ManagedMerchant, Merchant, MerchantCredit, PoolTopUp
from payments.tests.factories import fund_pool, make_merchant, merchant_client, staff_client, withdraw
from payments.tests.operator import NEXT_TOKEN, OBJECT, TOKEN, accept, client, kept, operator, put
from payments.tests.test_concurrent_withdrawals import all_at_once
from payments.tests.test_reserve_list import request
from payments.withdrawals.reserve import reserve

__all__ = ["operator"]

pytestmark = [pytest.mark.usefixtures("books"), pytest.mark.urls("core.internal_urls")]


def staff_does(act: str, **fields: Any) -> Any:
    """What a member of staff does through the public API."""
    with override_settings(ROOT_URLCONF="core.urls"):
        answer = staff_client().post(f"/api/v1/admin/{act}", fields, format="json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def signs_in(password: str) -> bool:
    with override_settings(ROOT_URLCONF="core.urls"):
        body = {"username": OBJECT["username"], "password": password}
        return bool(APIClient().post("/api/v1/auth/token", body, format="json").status_code == 200)


def withdraws(merchant_id: int, amount: str = "1.00") -> int:
    with override_settings(ROOT_URLCONF="core.urls"):
        return int(withdraw(merchant_client(Merchant.objects.get(pk=merchant_id)), amount).status_code)


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


class TestTheToken:
    @pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN} "])
    def test_is_needed(self, operator: APIClient, header: str | None) -> None:
        operator.credentials(**({"HTTP_AUTHORIZATION": header} if header else {}))
        answer = put(operator)
        assert (answer.status_code, answer.json()["code"]) == (401, "operator_token_wrong")
        assert not Merchant.objects.exists()

    def test_of_a_merchant_or_of_staff_opens_nothing(self, operator: APIClient) -> None:
        for other in (staff_client(), merchant_client(make_merchant())):
            assert other.get("/internal/v1/pool").status_code == 401

    def test_may_be_the_next_one(self, operator: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        fund_pool()
        accept(monkeypatch, TOKEN, NEXT_TOKEN)
        assert client(NEXT_TOKEN).get("/internal/v1/pool").status_code == 200
        assert operator.get("/internal/v1/pool").status_code == 200

    def test_opens_nothing_without_a_setting(self) -> None:
        assert client("").get("/internal/v1/pool").status_code == 401
        assert client("None").get("/internal/v1/pool").status_code == 401

    @pytest.mark.urls("core.urls")
    def test_is_of_no_use_outside(self, operator: APIClient) -> None:
        assert operator.get("/api/v1/admin/pool").status_code == 401
        assert put(operator).status_code == 404


class TestRegistration:
    def test_is_one_call_to_a_merchant_that_withdraws(self, operator: APIClient) -> None:
        fund_pool()
        members = kept(operator)
        assert members == {
            "merchant_id": members["merchant_id"],
            "username": "shop-1",
            "state": "approved",
            "state_reason": "",
            "credit_limit": "1000.00",
            "utilized_amount": "0.00",
            "available_credit": "1000.00",
            "pending_amount": "0.00",
            "has_credentials": True,
            "approval_request": None,
            "drift": [],
            "released": False,
            "waits_for": [],
        }
        assert signs_in(OBJECT["password"])
        assert withdraws(members["merchant_id"]) == 201

    def test_again_changes_nothing(self, operator: APIClient) -> None:
        first, written = kept(operator), actions()
        with CaptureQueriesContext(connection) as queries:
            assert kept(operator) == first
        assert not [each["sql"] for each in queries if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        assert actions() == written
        assert written == ["merchant_registered", "merchant_approved"]

    def test_is_in_the_audit_under_the_objects_name(self, operator: APIClient) -> None:
        merchant_id = kept(operator)["merchant_id"]
        entry = AuditEntry.objects.get(action="merchant_approved")
        assert (entry.actor, entry.merchant_id) == ("operator:team-a/shop-1", merchant_id)
        assert entry.detail == {"credit_limit": "1000.00"}
        account = User.objects.get(pk=entry.user_id)
        assert not account.is_active
        assert not account.has_usable_password()

    def test_without_approval_waits(self, operator: APIClient) -> None:
        assert kept(operator, approved=False)["state"] == "pending"
        members = kept(operator, approved=True, generation=2, credit_limit="5.00")
        assert (members["state"], members["credit_limit"]) == ("approved", "5.00")

    def test_does_not_take_another_merchants_name(self, operator: APIClient) -> None:
        make_merchant(username="shop-1")
        assert put(operator).json()["code"] == "username_taken"
        kept(operator, "team-a/other", username="shop-2")
        assert put(operator, "team-b/other", username="shop-2").json()["code"] == "username_taken"
        assert ManagedMerchant.objects.count() == 1

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"bank_account": "DE00"}, "bank_account"),
            ({"bank_account": None}, "bank_account"),
            ({"password": None}, "password"),
            ({"credit_limit": 5}, "credit_limit"),
            ({"credit_limit": "-1.00"}, "credit_limit"),
            ({"username": "a b"}, "username"),
            ({"drift_policy": "maybe"}, "drift_policy"),
            ({"deletion": "burn"}, "deletion"),
            ({"approved": "yes"}, "approved"),
            ({"generation": 0}, "generation"),
            ({"credentials_version": 0}, "credentials_version"),
            ({"credentials_version": None}, "credentials_version"),
            ({"password": None, "credentials_version": 1}, "credentials_version"),
            ({"surprise": 1}, "surprise"),
        ],
    )
    def test_names_what_is_wrong(self, operator: APIClient, fields: dict[str, Any], named: str) -> None:
        answer = put(operator, **fields)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, named)
        assert not Merchant.objects.exists()

    def test_of_one_object_at_once_is_one_merchant(self, operator: APIClient) -> None:
        answers = all_at_once([lambda: kept(operator)["merchant_id"]] * 6, 6)
        assert set(answers) == {Merchant.objects.get().pk}


class TestVersions:
    def test_an_older_wish_is_refused(self, operator: APIClient) -> None:
        kept(operator, generation=3, credit_limit="300.00")
        answer = put(operator, generation=2, credit_limit="200.00")
        assert (answer.status_code, answer.json()["code"]) == (409, "version_stale")
        assert kept(operator, generation=3, credit_limit="300.00")["credit_limit"] == "300.00"

    def test_an_object_that_was_made_again_is_newer(self, operator: APIClient) -> None:
        kept(operator, generation=9)
        members = kept(operator, generation=1, created_at="2026-01-02T00:00:00Z", credit_limit="5.00")
        assert members["credit_limit"] == "5.00"
        assert put(operator, generation=9).json()["code"] == "version_stale"

    def test_an_object_that_was_made_again_within_a_second_is_taken(self, operator: APIClient) -> None:
        kept(operator, generation=3)
        kept(operator, generation=4, deletion="retain")
        again = {"uid": "22222222-2222-2222-2222-222222222222", "credit_limit": "5.00"}
        assert kept(operator, generation=1, **again)["credit_limit"] == "5.00"
        assert put(operator, generation=4, deletion="retain").json()["code"] == "version_stale"
        assert put(operator, generation=9).json()["code"] == "version_stale"
        assert kept(operator, generation=2, deletion="retain", **again)["released"]
        assert actions().count("merchant_released") == 2

    def test_one_that_was_not_let_go_is_not_replaced_within_its_second(self, operator: APIClient) -> None:
        kept(operator)
        answer = put(operator, generation=2, uid="22222222-2222-2222-2222-222222222222", credit_limit="5.00")
        assert (answer.status_code, answer.json()["code"]) == (409, "version_stale")


class TestLimits:
    def test_a_wish_is_set(self, operator: APIClient) -> None:
        kept(operator)
        members = kept(operator, generation=2, credit_limit="2.00")
        assert (members["credit_limit"], members["drift"]) == ("2.00", [])

    def test_a_wish_is_set_with_policy_report_too(self, operator: APIClient) -> None:
        kept(operator, drift_policy="report")
        assert kept(operator, generation=2, credit_limit="2.00", drift_policy="report")["credit_limit"] == "2.00"

    def test_changed_by_staff_is_put_right_and_told_once(self, operator: APIClient) -> None:
        merchant_id = kept(operator)["merchant_id"]
        staff_does("credit-limit", merchant_id=merchant_id, credit_limit="5.00")
        (drift,) = kept(operator)["drift"]
        assert (drift["field"], drift["expected"], drift["actual"], drift["corrected"]) == (
            "credit_limit",
            "1000.00",
            "5.00",
            True,
        )
        members = kept(operator)
        assert (members["credit_limit"], members["drift"]) == ("1000.00", [])
        # the record, should that one answer have been lost
        corrected = AuditEntry.objects.filter(action="credit_limit_changed").last()
        assert corrected is not None
        assert (corrected.actor, corrected.detail) == (
            "operator:team-a/shop-1",
            {"before": "5.00", "after": "1000.00"},
        )

    def test_changed_by_staff_is_left_with_policy_report(self, operator: APIClient) -> None:
        merchant_id = kept(operator, drift_policy="report")["merchant_id"]
        staff_does("credit-limit", merchant_id=merchant_id, credit_limit="5.00")
        for _ in range(2):
            members = kept(operator, drift_policy="report")
            assert members["credit_limit"] == "5.00"
            assert [each["corrected"] for each in members["drift"]] == [False]

    def test_another_account_is_told_and_not_taken(self, operator: APIClient) -> None:
        kept(operator)
        (drift,) = kept(operator, bank_account="IRTEST0000000000002")["drift"]
        assert (drift["field"], drift["corrected"]) == ("bank_account", False)
        assert Merchant.objects.get().account_number == OBJECT["bank_account"]
        assert kept(operator, bank_account=None)["drift"] == []


class TestSuspension:
    def test_is_made_and_taken_back(self, operator: APIClient) -> None:
        fund_pool()
        merchant_id = kept(operator)["merchant_id"]
        assert kept(operator, suspended=True, generation=2)["state"] == "suspended"
        assert withdraws(merchant_id) == 409
        assert kept(operator, suspended=False, generation=3)["state"] == "approved"
        assert withdraws(merchant_id) == 201

    def test_by_staff_is_never_undone(self, operator: APIClient) -> None:
        merchant_id = kept(operator)["merchant_id"]
        staff_does("suspend", merchant_id=merchant_id, reason="fraud?")
        members = kept(operator)
        assert (members["state"], members["state_reason"]) == ("suspended", "fraud?")
        assert [(each["field"], each["corrected"]) for each in members["drift"]] == [("suspended", False)]

    def test_by_staff_after_the_objects_own_stays(self, operator: APIClient) -> None:
        merchant_id = kept(operator, suspended=True)["merchant_id"]
        staff_does("reinstate", merchant_id=merchant_id)
        staff_does("suspend", merchant_id=merchant_id)
        assert kept(operator, suspended=False, generation=2)["state"] == "suspended"

    @pytest.mark.parametrize(("policy", "state"), [("correct", "suspended"), ("report", "approved")])
    def test_taken_back_by_staff_is_drift(self, operator: APIClient, policy: str, state: str) -> None:
        merchant_id = kept(operator, suspended=True, drift_policy=policy)["merchant_id"]
        staff_does("reinstate", merchant_id=merchant_id)
        members = kept(operator, suspended=True, drift_policy=policy)
        assert members["state"] == state
        assert [each["corrected"] for each in members["drift"]] == [policy == "correct"]

    def test_wished_anew_after_staff_took_the_last_one_back_is_made(self, operator: APIClient) -> None:
        merchant_id = kept(operator, suspended=True, drift_policy="report")["merchant_id"]
        staff_does("reinstate", merchant_id=merchant_id)
        assert kept(operator, generation=2, suspended=False, drift_policy="report")["state"] == "approved"
        members = kept(operator, generation=3, suspended=True, drift_policy="report")
        assert (members["state"], members["drift"]) == ("suspended", [])

    def test_a_merchant_that_staff_refused_stays_refused(self, operator: APIClient) -> None:
        merchant_id = kept(operator, approved=False)["merchant_id"]
        staff_does("refuse", merchant_id=merchant_id, reason="no papers")
        members = kept(operator, generation=2)
        assert (members["state"], members["state_reason"]) == ("refused", "no papers")


class TestCredentials:
    def test_a_new_password_replaces_the_old_one_and_its_refresh_tokens(self, operator: APIClient) -> None:
        kept(operator)
        with override_settings(ROOT_URLCONF="core.urls"):
            body = {"username": "shop-1", "password": OBJECT["password"]}
            refresh = APIClient().post("/api/v1/auth/token", body, format="json").json()["refresh"]
        kept(operator, password="another-password-of-24-x", credentials_version=2)
        assert (signs_in(OBJECT["password"]), signs_in("another-password-of-24-x")) == (False, True)
        with override_settings(ROOT_URLCONF="core.urls"):
            answer = APIClient().post("/api/v1/auth/token/refresh", {"refresh": refresh}, format="json")
        assert answer.status_code == 401

    def test_one_changed_by_others_is_set_again(self, operator: APIClient) -> None:
        kept(operator)
        user = User.objects.get(username="shop-1")
        user.set_password("changed")
        user.save()
        kept(operator)
        assert (signs_in("changed"), signs_in(OBJECT["password"])) == (False, True)

    def test_a_late_one_does_not_bring_back_what_was_rotated_away(self, operator: APIClient) -> None:
        kept(operator)
        kept(operator, password="another-password-of-24-x", credentials_version=5)
        answer = put(operator, credit_limit="7.00")
        assert (answer.status_code, answer.json()["code"]) == (409, "credentials_stale")
        assert answer.json()["credentials_version"] == 5
        assert (signs_in(OBJECT["password"]), signs_in("another-password-of-24-x")) == (False, True)
        assert MerchantCredit.objects.get().credit_limit == 1000

    def test_of_an_account_that_is_not_active_are_none(self, operator: APIClient) -> None:
        kept(operator)
        User.objects.filter(username="shop-1").update(is_active=False)
        assert not signs_in(OBJECT["password"])
        assert not kept(operator)["has_credentials"]

    def test_none_leaves_it(self, operator: APIClient) -> None:
        kept(operator)
        kept(operator, password=None)
        assert signs_in(OBJECT["password"])


class TestDeletion:
    def test_of_what_was_never_registered_is_done(self, operator: APIClient) -> None:
        members = kept(operator, deletion="close")
        assert (members["released"], members["merchant_id"], members["state"]) == (True, None, None)
        assert not User.objects.filter(username="shop-1").exists()

    def test_retain_leaves_the_merchant_as_it_is(self, operator: APIClient) -> None:
        fund_pool()
        merchant_id = kept(operator)["merchant_id"]
        members = kept(operator, deletion="retain", generation=2)
        assert (members["released"], members["state"]) == (True, "approved")
        assert withdraws(merchant_id) == 201
        again = kept(operator, created_at="2026-01-02T00:00:00Z")
        assert (again["merchant_id"], again["released"]) == (merchant_id, False)

    def test_close_waits_for_what_is_used(self, operator: APIClient) -> None:
        fund_pool()
        merchant_id = kept(operator)["merchant_id"]
        assert withdraws(merchant_id, "7.00") == 201
        members = kept(operator, deletion="close", generation=2)
        assert (members["released"], members["state"]) == (False, "suspended")
        assert members["waits_for"] == ["7.00 of credit is used and not repaid"]
        assert withdraws(merchant_id) == 409

    def test_close_waits_for_what_is_pending(self, operator: APIClient) -> None:
        fund_pool()
        merchant_id = kept(operator)["merchant_id"]
        reserve([request(merchant_id, "7.00")])
        assert kept(operator, deletion="close", generation=2)["waits_for"] == ["1 withdrawals are pending (7.00)"]

    def test_close_that_waits_becomes_retain_and_is_found_again(self, operator: APIClient) -> None:
        fund_pool()
        merchant_id = kept(operator)["merchant_id"]
        assert withdraws(merchant_id, "7.00") == 201
        kept(operator, deletion="close", generation=2)
        members = kept(operator, deletion="retain", generation=3)
        assert (members["released"], members["state"]) == (True, "suspended")
        again = kept(operator, uid="22222222-2222-2222-2222-222222222222", created_at="2026-01-02T00:00:00Z")
        assert (again["merchant_id"], again["state"], again["utilized_amount"]) == (merchant_id, "approved", "7.00")

    def test_close_without_a_balance_is_for_good(self, operator: APIClient) -> None:
        merchant_id = kept(operator)["merchant_id"]
        first = kept(operator, deletion="close", generation=2)
        assert (first["released"], first["state"]) == (True, "closed")
        assert kept(operator, deletion="close", generation=2) == first
        assert withdraws(merchant_id) == 409
        answer = put(operator, created_at="2026-01-02T00:00:00Z")
        assert (answer.status_code, answer.json()["code"]) == (409, "merchant_closed")
        assert actions()[-3:] == ["merchant_suspended", "merchant_closed", "merchant_released"]

    def test_a_late_wish_does_not_bring_it_back(self, operator: APIClient) -> None:
        kept(operator)
        kept(operator, deletion="retain", generation=2)
        assert put(operator, generation=1).json()["code"] == "version_stale"


class TestTopUps:
    def put(
        self, operator: APIClient, amount: str = "50.00", reference: str = "2026-11", namespace: str = "team-a"
    ) -> Any:
        body = {"name": "top-up", "amount": amount}
        return operator.put(f"/internal/v1/pool-top-ups/{namespace}/{reference}", body, format="json")

    def test_once_by_reference(self, operator: APIClient) -> None:
        first, again = self.put(operator).json(), self.put(operator).json()
        assert (first["first"], again["first"]) == (True, False)
        assert first["top_up_id"] == again["top_up_id"]
        assert operator.get("/internal/v1/pool").json()["available_amount"] == "50.00"
        assert AuditEntry.objects.get(action="pool_topped_up").actor == "operator:team-a/top-up"

    def test_of_another_namespace_is_another(self, operator: APIClient) -> None:
        self.put(operator)
        assert self.put(operator, namespace="team-b").json()["first"]
        assert operator.get("/internal/v1/pool").json()["funded_amount"] == "100.00"

    def test_another_amount_is_a_conflict(self, operator: APIClient) -> None:
        self.put(operator)
        answer = self.put(operator, amount="51.00")
        assert answer.status_code == 409
        assert (answer.json()["code"], answer.json()["applied_amount"]) == ("top_up_conflict", "50.00")

    def test_twenty_at_once_move_the_money_once(self, operator: APIClient) -> None:
        answers = [answer.json() for answer in all_at_once([lambda: self.put(operator)] * 20)]
        assert sorted(answer["first"] for answer in answers) == [False] * 19 + [True]
        assert PoolTopUp.objects.count() == 1
        assert operator.get("/internal/v1/pool").json()["available_amount"] == "50.00"

    @pytest.mark.parametrize("amount", ["0.00", "-1.00", "1.001", ""])
    def test_amounts_are_checked(self, operator: APIClient, amount: str) -> None:
        assert self.put(operator, amount=amount).status_code == 422


class TestThePool:
    def test_is_told_whole(self, operator: APIClient) -> None:
        fund_pool("100.00")
        merchant_id = kept(operator)["merchant_id"]
        assert withdraws(merchant_id, "30.00") == 201
        assert operator.get("/internal/v1/pool").json() == {
            "available_amount": "70.00",
            "reserved_amount": "0.00",
            "settled_amount": "30.00",
            "funded_amount": "100.00",
        }
        assert MerchantCredit.objects.get(merchant_id=merchant_id).utilized_amount == 30
