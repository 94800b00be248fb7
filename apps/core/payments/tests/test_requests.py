"""Wrong requests get a 4xx that names what was wrong, and change nothing."""

import json
from typing import Any

import pytest
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from core.problem_handler import csrf_failure
from payments.models import Merchant, PoolTopUp, Withdrawal
from payments.tests.factories import fund_pool, make_merchant, merchant_client, staff_client, unique_name, withdraw

pytestmark = pytest.mark.usefixtures("books")

NO_STRINGS = [1, 1.5, True, None, [], {}]
NO_AMOUNTS = ["", " 1", "1 ", "1.005", "-1", "+1", "1e3", "NaN", "Infinity", "1,00", "0", "0.00", ".5", "1.", "01.00"]
NOT_ASCII = ["1" * 19, "١٫٠٠", "۱", "1.00\n", "1\u0000"]
WRONG_AMOUNTS = [*NO_STRINGS, *NO_AMOUNTS, *NOT_ASCII]


@pytest.fixture
def client() -> APIClient:
    fund_pool()
    return merchant_client(make_merchant())


def named_fields(answer: Any) -> set[str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    return {error["field"] for error in answer.json()["errors"]}


def post_raw(client: APIClient, body: bytes, content_type: str = "application/json") -> Any:
    return client.post(
        "/api/v1/withdrawals", body, content_type=content_type, headers={"Idempotency-Key": unique_name("raw-")}
    )


class TestAmounts:
    @pytest.mark.parametrize("amount", WRONG_AMOUNTS)
    def test_what_is_no_amount_is_refused_naming_the_field(self, client: APIClient, amount: object) -> None:
        answer = withdraw(client, amount)
        assert answer.status_code == 422
        assert named_fields(answer) == {"amount"}
        assert not Withdrawal.objects.exists()

    @pytest.mark.parametrize("amount", WRONG_AMOUNTS)
    def test_a_top_up_refuses_it_too(self, amount: object) -> None:
        answer = staff_client().post("/api/v1/admin/pool/topup", {"amount": amount}, format="json")
        assert (answer.status_code, named_fields(answer)) == (422, {"amount"})
        assert not PoolTopUp.objects.exists()

    def test_more_than_the_pool_can_hold_is_refused(self) -> None:
        staff = staff_client()
        most = {"amount": "9" * 18}
        assert staff.post("/api/v1/admin/pool/topup", most, format="json").status_code == 200
        answer = staff.post("/api/v1/admin/pool/topup", most, format="json")
        assert (answer.status_code, named_fields(answer)) == (422, {"amount"})

    def test_the_smallest_and_a_short_amount_are_taken(self, client: APIClient) -> None:
        assert withdraw(client, "0.01").json()["amount"] == "0.01"
        assert withdraw(client, "5").json()["amount"] == "5.00"

    def test_a_limit_of_nothing_is_a_limit(self) -> None:
        merchant = make_merchant(approved=False)
        body = {"merchant_id": merchant.pk, "credit_limit": "0"}
        assert staff_client().post("/api/v1/admin/approve", body, format="json").json()["credit_limit"] == "0.00"


class TestBodies:
    def test_an_unknown_field_is_named(self, client: APIClient) -> None:
        answer = post_raw(client, b'{"amount": "1.00", "currency": "IRR"}')
        assert (answer.status_code, named_fields(answer)) == (422, {"currency"})

    def test_a_missing_field_is_named(self, client: APIClient) -> None:
        assert named_fields(post_raw(client, b"{}")) == {"amount"}

    @pytest.mark.parametrize("body", [b"", b"[]", b'"1.00"', b"null", b"1"])
    def test_what_is_no_object_is_refused(self, client: APIClient, body: bytes) -> None:
        assert post_raw(client, body).status_code == 422

    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b'{"amount": NaN}',
            b'{"amount": "1.00", "amount": "2.00"}',
            b'{"amount": "\xff"}',
            b'{"amount": "\\ud800"}',
            b"[" * 20_000,
        ],
    )
    def test_what_is_no_json_is_refused(self, client: APIClient, body: bytes) -> None:
        answer = post_raw(client, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")

    def test_a_huge_body_is_refused_unread(self, client: APIClient) -> None:
        answer = post_raw(client, b'{"amount": "' + b"1" * 100_000 + b'"}')
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    def test_a_chunked_body_is_refused_and_not_taken_for_an_empty_one(self, client: APIClient) -> None:
        headers = {"Transfer-Encoding": "chunked", "Idempotency-Key": "chunked"}
        answer = client.generic("POST", "/api/v1/withdrawals", content_type="application/json", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
        assert answer.json()["detail"] == "send a Content-Length; chunked bodies are not read"

    @pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
    def test_another_media_type_is_refused(self, client: APIClient, content_type: str) -> None:
        answer = post_raw(client, b"x", content_type)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


class TestRegistration:
    GOOD = {"username": "new", "password": "p", "requested_credit": "1000.00", "bank_account": "IRTEST0000000000001"}

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", "a b"),
            ("username", ""),
            ("username", "x" * 151),
            ("username", 5),
            ("username", "nul\u0000"),
            ("password", ""),
            ("password", "x" * 129),
            ("password", "line\nfeed"),
            ("requested_credit", "-1"),
            ("requested_credit", 1000),
            ("bank_account", "DE00"),
            ("bank_account", "IRTEST"),
            ("bank_account", "IR" + "9" * 24),
        ],
    )
    def test_a_wrong_field_is_named(self, field: str, value: object) -> None:
        answer = APIClient().post("/api/v1/auth/register", self.GOOD | {field: value}, format="json")
        assert (answer.status_code, named_fields(answer)) == (422, {field})
        assert not Merchant.objects.exists()

    def test_a_real_iban_is_accepted_with_spaces(self) -> None:
        body = self.GOOD | {"bank_account": "ir58 0540 1051 8002 1273 1130 07"}
        answer = APIClient().post("/api/v1/auth/register", body, format="json")
        assert answer.status_code == 201
        assert Merchant.objects.get().account_number == "IR580540105180021273113007"

    def test_a_taken_username_is_a_conflict(self) -> None:
        first, second = (APIClient().post("/api/v1/auth/register", self.GOOD, format="json") for _ in range(2))
        assert first.status_code == 201
        assert (second.status_code, second.json()["code"]) == (409, "username_taken")


class TestAddresses:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/nothing",
            "/api/v1/withdrawals/not-an-id",
            "/api/v1/withdrawals/00000000-0000-0000-0000-000000000000",
            "/nothing",
        ],
    )
    def test_an_unknown_address_is_a_problem(self, client: APIClient, path: str) -> None:
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    def test_another_method_is_refused_with_allow(self, client: APIClient) -> None:
        answer = client.delete("/api/v1/withdrawals")
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert "POST" in answer.headers["Allow"]

    @pytest.mark.parametrize(
        "query",
        [
            "state=gone",
            "created_from=yesterday",
            "limit=0",
            "limit=1000",
            "limit=x",
            "colour=red",
            "created_to=2020-13-01",
            "state=pending&state=settled",
        ],
    )
    def test_a_wrong_query_is_named(self, client: APIClient, query: str) -> None:
        answer = client.get(f"/api/v1/withdrawals?{query}")
        assert (answer.status_code, named_fields(answer)) == (422, {query.split("=", maxsplit=1)[0]})

    @pytest.mark.parametrize("cursor", ["x", "e30", "W10", "WyJhIiwgImIiXQ", "====", "é"])
    def test_a_wrong_cursor_is_refused(self, client: APIClient, cursor: str) -> None:
        answer = client.get("/api/v1/withdrawals", {"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (404, "cursor_invalid")

    def test_a_merchant_id_beyond_bigint_is_not_found(self) -> None:
        assert staff_client().get(f"/api/v1/admin/merchants/{10**30}").status_code == 404

    def test_the_document_is_served(self, client: APIClient) -> None:
        document = json.loads(client.get("/api/openapi.json").content)
        assert "/api/v1/withdrawals" in document["paths"]


class TestForgedForms:
    def test_outside_the_admin_are_answered_a_problem(self) -> None:
        answer = csrf_failure(RequestFactory().post("/other"), "CSRF cookie not set.")
        assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")
        assert json.loads(answer.content)["code"] == "permission_denied"

    def test_in_the_admin_are_answered_djangos_page(self) -> None:
        answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (403, "text/html; charset=utf-8")
