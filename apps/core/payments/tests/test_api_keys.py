"""API keys: shown once, kept as digests, good for their scopes, replaced and revoked."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django.utils import timezone
from rest_framework.test import APIClient

from core.request_context import new_context
from payments.models import ApiKey, AuditEntry, Merchant
from payments.tests.factories import fund_pool, make_merchant, merchant_client, staff_client, withdraw
from payments.tokens import api_key
from payments.tokens.caller import SCOPES
from payments.withdrawals.requests import plain_withdrawal

pytestmark = pytest.mark.usefixtures("books")

PATH = "/api/v1/api-keys"


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    api_key.forget_all()
    yield
    api_key.forget_all()


@pytest.fixture
def merchant() -> Merchant:
    fund_pool()
    return make_merchant()


@pytest.fixture
def client(merchant: Merchant) -> APIClient:
    return merchant_client(merchant)


def create(client: APIClient, *scopes: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(PATH, {"name": "shop", "scopes": scopes or SCOPES, **fields}, format="json")
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def with_key(key: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


class TestAKey:
    def test_is_let_in_as_its_merchant(self, client: APIClient, merchant: Merchant) -> None:
        key = with_key(create(client)["key"])
        assert key.get("/api/v1/me").json()["merchant_id"] == merchant.pk
        made = withdraw(key)
        assert made.status_code == 201
        assert client.get(f"/api/v1/withdrawals/{made.json()['id']}").status_code == 200

    def test_is_shown_once_and_kept_nowhere(self, client: APIClient) -> None:
        body = {"name": "shop", "scopes": list(SCOPES)}
        first, again = (client.post(PATH, body, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2))
        key = first.json()["key"]
        assert again.json() == first.json() | {"key": None}
        [listed] = client.get(PATH).json()["results"]
        assert "key" not in listed
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT a::text FROM payments_apikey a UNION ALL SELECT k::text FROM payments_idempotencykey k"
            )
            assert key not in str(cursor.fetchall())

    def test_of_the_same_key_money_moves_once(self, client: APIClient) -> None:
        """Whose keys are told apart is the merchant, not the door that was taken."""
        first = withdraw(with_key(create(client)["key"]), key="once")
        second = withdraw(client, key="once")
        assert (second.content, second.headers["Idempotency-Replayed"]) == (first.content, "true")

    def test_tells_when_it_was_used(self, client: APIClient) -> None:
        made = create(client)
        assert made["last_used_at"] is None
        with_key(made["key"]).get("/api/v1/me")
        [used] = client.get(PATH).json()["results"]
        assert used["last_used_at"] is not None

    def test_that_was_just_seen_costs_no_query_of_its_own(self, client: APIClient) -> None:
        key = with_key(create(client)["key"])
        key.get("/api/v1/me")
        with CaptureQueriesContext(connection) as by_key:
            key.get("/api/v1/me")
        with CaptureQueriesContext(connection) as by_token:
            client.get("/api/v1/me")
        assert len(by_key) == len(by_token)

    def test_takes_the_short_way_once_it_was_seen_and_has_the_scope(self, client: APIClient) -> None:
        def short(key: str) -> Decimal | None:
            headers = {"Authorization": f"Bearer {key}"}
            body = {"data": '{"amount": "1.00"}', "content_type": "application/json", "headers": headers}
            request = RequestFactory().post("/api/v1/withdrawals", **body)
            new_context(request)
            return plain_withdrawal(request)

        key, reading = create(client)["key"], create(client, "withdrawals:read")["key"]
        with CaptureQueriesContext(connection) as asked:
            assert short(key) is None
        assert len(asked) == 0
        for each in (key, reading):
            assert with_key(each).get("/api/v1/me").status_code == 200
        assert (short(key), short(reading)) == (Decimal("1.00"), None)

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"),
            lambda key: key.replace(key[4:20], "0" * 16),
            lambda key: key[:-1],
            lambda _: "etk_",
            lambda key: key + "x",
        ],
    )
    def test_that_is_wrong_is_refused(self, client: APIClient, wrong: Any) -> None:
        answer = with_key(wrong(create(client)["key"])).get("/api/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")

    def test_that_is_over_is_refused(self, client: APIClient) -> None:
        key = create(client, expires_at=(timezone.now() + timedelta(hours=1)).isoformat())["key"]
        assert with_key(key).get("/api/v1/me").status_code == 200
        ApiKey.objects.update(expires_at=timezone.now())
        api_key.forget_all()
        assert with_key(key).get("/api/v1/me").status_code == 401

    def test_of_an_account_that_is_inactive_is_refused(self, client: APIClient, merchant: Merchant) -> None:
        key = create(client)["key"]
        merchant.user.is_active = False
        merchant.user.save()
        assert with_key(key).get("/api/v1/me").status_code == 401

    def test_of_a_suspended_merchant_withdraws_nothing(self, client: APIClient, merchant: Merchant) -> None:
        key = create(client)["key"]
        staff_client().post("/api/v1/admin/suspend", {"merchant_id": merchant.pk, "reason": "r"}, format="json")
        assert withdraw(with_key(key)).json()["code"] == "merchant_not_active"


class TestScopes:
    ADDRESSES = (
        ("POST", "/api/v1/withdrawals", "withdrawals:write"),
        ("POST", "/api/v1/withdrawals/bulk", "withdrawals:write"),
        ("GET", "/api/v1/withdrawals", "withdrawals:read"),
        ("GET", "/api/v1/withdrawals/totals", "withdrawals:read"),
        ("GET", "/api/v1/me", "withdrawals:read"),
        ("GET", "/api/v1/idempotency-keys?key=k", "withdrawals:read"),
        ("GET", "/api/v1/ledger", "statements:read"),
        ("GET", "/api/v1/statements/2026-01", "statements:read"),
        ("GET", "/api/v1/repayments", "statements:read"),
        ("GET", "/api/v1/webhooks", "webhooks:manage"),
        ("POST", "/api/v1/webhooks", "webhooks:manage"),
    )

    @pytest.mark.parametrize("scope", SCOPES)
    def test_open_their_addresses_and_no_other(self, client: APIClient, scope: str) -> None:
        key = with_key(create(client, scope)["key"])
        for method, path, needed in self.ADDRESSES:
            answer = key.generic(method, path, "{}", content_type="application/json")
            if needed == scope:
                assert answer.status_code not in {401, 403}, (path, answer.content)
            else:
                assert (answer.status_code, answer.json()["scope"]) == (403, needed), path

    def test_are_for_no_address_of_people(self, client: APIClient) -> None:
        key = with_key(create(client)["key"])
        for method, path in (
            ("GET", PATH),
            ("POST", PATH),
            ("DELETE", f"{PATH}/x"),
            ("POST", f"{PATH}/x/rotate"),
            ("GET", "/api/v1/admin/merchants"),
            ("POST", "/api/v1/admin/pool/topup"),
        ):
            answer = key.generic(method, path, "{}", content_type="application/json")
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path

    def test_are_said_by_every_view_that_takes_a_key(self) -> None:
        """A view without one refuses keys: which do is said here, so that a new one is thought about."""
        views = {
            pattern.callback.view_class.__name__
            for resolver in get_resolver().url_patterns
            for pattern in getattr(resolver, "url_patterns", [])
            if hasattr(getattr(pattern, "callback", None), "view_class")
            and hasattr(pattern.callback.view_class, "api_key_scope")
        }
        assert views == {
            *("WithdrawalsView", "WithdrawalView", "TotalsView", "BulkView", "MeView", "KeyView"),
            *("LedgerView", "StatementsView", "MonthView", "RepaymentsView"),
            *("WebhooksView", "WebhookView", "SecretView", "RotateView", "TestView"),
            *("DeliveriesView", "DeliveryView", "ReplayView"),
        }


class TestManaging:
    def test_rotated_both_are_good_until_the_overlap_is_over(self, client: APIClient) -> None:
        made = create(client)
        rotated = client.post(f"{PATH}/{made['id']}/rotate", {"overlap_hours": 1}, format="json").json()
        assert rotated["key"] != made["key"]
        for key in (made["key"], rotated["key"]):
            assert with_key(key).get("/api/v1/me").status_code == 200
        ApiKey.objects.update(previous_until=timezone.now())
        api_key.forget_all()
        assert with_key(made["key"]).get("/api/v1/me").status_code == 401
        assert with_key(rotated["key"]).get("/api/v1/me").status_code == 200

    def test_rotated_again_for_a_lost_answer_the_one_in_use_stays_good(self, client: APIClient) -> None:
        path = f"{PATH}/{create(client)['id']}/rotate"
        in_use = client.post(path, {"overlap_hours": 0}, format="json").json()
        lost = client.post(path, {"overlap_hours": 2}, format="json").json()
        again = client.post(path, {"overlap_hours": 24}, format="json").json()
        assert again["previous_until"] == lost["previous_until"]
        for made, status in ((in_use, 200), (lost, 401), (again, 200)):
            assert with_key(made["key"]).get("/api/v1/me").status_code == status

    def test_rotated_again_after_it_was_used_the_one_before_is_good(self, client: APIClient) -> None:
        path = f"{PATH}/{create(client)['id']}/rotate"
        first, second, third = (client.post(path, {"overlap_hours": 24}, format="json").json() for _ in range(3))
        assert with_key(third["key"]).get("/api/v1/me").status_code == 200
        fourth = client.post(path, {"overlap_hours": 24}, format="json").json()
        api_key.forget_all()
        for made, status in ((first, 401), (second, 401), (third, 200), (fourth, 200)):
            assert with_key(made["key"]).get("/api/v1/me").status_code == status

    def test_rotated_without_an_overlap_none_before_is_good(self, client: APIClient) -> None:
        first = create(client)
        path = f"{PATH}/{first['id']}/rotate"
        second, third = (client.post(path, {"overlap_hours": hours}, format="json").json() for hours in (24, 0))
        for made, status in ((first, 401), (second, 401), (third, 200)):
            assert with_key(made["key"]).get("/api/v1/me").status_code == status

    def test_rotated_after_the_overlap_the_one_before_is_good_again(self, client: APIClient) -> None:
        path = f"{PATH}/{create(client)['id']}/rotate"
        before = client.post(path, {"overlap_hours": 1}, format="json").json()
        ApiKey.objects.update(previous_until=timezone.now())
        client.post(path, {"overlap_hours": 1}, format="json")
        assert with_key(before["key"]).get("/api/v1/me").status_code == 200

    def test_revoked_it_is_refused_where_it_was_seen_within_seconds(
        self, client: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = create(client)
        seen = with_key(made["key"])
        assert seen.get("/api/v1/me").status_code == 200
        assert client.delete(f"{PATH}/{made['id']}").status_code == 200
        now = api_key.time.monotonic()
        monkeypatch.setattr(api_key.time, "monotonic", lambda: now + api_key.REMEMBERED_SECONDS)
        assert seen.get("/api/v1/me").status_code == 401
        assert client.get(PATH).json() == {"results": []}
        assert client.delete(f"{PATH}/{made['id']}").status_code == 404

    @pytest.mark.parametrize("key_id", ["%00", "x", "0" * 16, "0" * 17, "%F0%9F%98%80"])
    def test_one_that_is_not_there_is_not_found(self, client: APIClient, key_id: str) -> None:
        assert client.delete(f"{PATH}/{key_id}").status_code == 404
        assert client.post(f"{PATH}/{key_id}/rotate", {}, format="json").status_code == 404

    def test_leaves_an_audit_without_a_secret(self, client: APIClient) -> None:
        made = create(client)
        client.post(f"{PATH}/{made['id']}/rotate", {}, format="json")
        client.delete(f"{PATH}/{made['id']}")
        entries = list(AuditEntry.objects.filter(action__startswith="api_key").order_by("id"))
        assert [each.action for each in entries] == ["api_key_created", "api_key_rotated", "api_key_revoked"]
        assert {each.detail["api_key"] for each in entries} == {made["id"]}
        assert made["key"] not in json.dumps([each.detail for each in entries])

    def test_those_of_others_are_not_found(self, client: APIClient) -> None:
        made = create(client)
        other = merchant_client(make_merchant())
        assert other.get(PATH).json() == {"results": []}
        assert other.delete(f"{PATH}/{made['id']}").status_code == 404
        assert other.post(f"{PATH}/{made['id']}/rotate", {}, format="json").status_code == 404

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"scopes": []}, "scopes"),
            ({"scopes": ["money:all"]}, "scopes.0"),
            ({"name": ""}, "name"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
            ({"expires_at": "9999-12-31T23:59:59Z"}, "expires_at"),
            ({"key": "mine"}, "key"),
        ],
    )
    def test_names_what_is_wrong(self, client: APIClient, fields: dict[str, Any], wrong: str) -> None:
        answer = client.post(PATH, {"name": "shop", "scopes": list(SCOPES)} | fields, format="json")
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == [wrong]

    def test_of_too_many_is_refused(self, client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("payments.api_keys.services.MOST_KEYS", 1)
        create(client)
        answer = client.post(PATH, {"name": "shop", "scopes": list(SCOPES)}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "api_key_limit")
