"""Every API request leaves a row; none holds a password, a token or a body."""

import uuid

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from payments.models import ApiRequestLog, LedgerEntry
from payments.request_log.writer import writer
from payments.tests.factories import fund_pool, make_merchant, merchant_client, withdraw

pytestmark = pytest.mark.usefixtures("books")


def rows(**filters: object) -> list[ApiRequestLog]:
    assert writer().flush()
    return list(ApiRequestLog.objects.filter(**filters).order_by("created_at"))


def test_a_settled_withdrawal_is_logged_whole_in_its_own_transactions() -> None:
    fund_pool()
    merchant = make_merchant()
    answer = withdraw(merchant_client(merchant), key="k-1", **{"X-Request-ID": "caller-1"})
    (row,) = rows()
    assert answer.headers["X-Request-ID"] == row.request_id == "caller-1"
    assert (row.method, row.path, row.status) == ("POST", "/api/v1/withdrawals", 201)
    assert (row.user_id, row.merchant_id, row.idempotency_key) == (merchant.user_id, merchant.pk, "k-1")
    assert str(row.withdrawal_id) == answer.json()["id"]
    assert row.duration_ms is not None
    assert row.created_at == LedgerEntry.objects.filter(kind="reserve")[0].created_at


def test_a_pending_withdrawals_row_is_completed_after_the_answer() -> None:
    fund_pool()
    withdraw(merchant_client(make_merchant()), Prefer="respond-async")
    (row,) = rows()
    assert row.status == 202
    assert row.duration_ms is not None


def test_refusals_replays_reads_and_errors_are_logged() -> None:
    fund_pool()
    client = merchant_client(make_merchant())
    withdraw(client, "1.00", key="k")
    withdraw(client, "1.00", key="k")
    withdraw(client, "5000.00")
    withdraw(client, "wrong")
    client.get("/api/v1/me")
    client.get("/api/v1/nothing")
    APIClient().get("/api/v1/me")
    assert [row.status for row in rows()] == [201, 201, 409, 422, 200, 404, 401]


def test_a_refused_request_is_logged_with_its_key() -> None:
    client = merchant_client(make_merchant())
    withdraw(client, "wrong", key='"refused"')
    withdraw(client, "wrong", key="x" * 256)
    withdraw(APIClient(), key="anonymous")
    assert [(row.status, row.idempotency_key) for row in rows()] == [(422, "refused"), (422, None), (401, "anonymous")]


def test_no_row_holds_a_password_or_a_token() -> None:
    body = {"username": "newcomer", "password": "hunter2-secret", "requested_credit": "1.00", "bank_account": "IRTEST1"}
    APIClient().post("/api/v1/auth/register", body, format="json")
    login = APIClient().post(
        "/api/v1/auth/token", {"username": "newcomer", "password": "hunter2-secret"}, format="json"
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {login.json()['access']}")
    client.get("/api/v1/me")
    text = " ".join(str(value) for row in rows() for value in vars(row).values())
    assert len(rows()) == 3
    assert "hunter2" not in text
    assert login.json()["access"] not in text


@pytest.mark.parametrize("sent", ["x" * 129, "a b", "caf\u00e9", "new\nline"])
def test_a_request_id_that_is_none_is_replaced(sent: str) -> None:
    answer = APIClient().get("/api/v1/me", headers={"X-Request-ID": sent})
    assert uuid.UUID(answer.headers["X-Request-ID"])


def test_what_is_no_api_request_is_not_logged() -> None:
    APIClient().get("/healthz")
    assert rows() == []


def test_a_path_with_a_nul_is_logged_without_it() -> None:
    APIClient().get("/api/v1/%00")
    assert rows()[0].path == "/api/v1/\ufffd"


def test_a_row_that_the_database_refuses_does_not_stop_the_others() -> None:
    bad = ApiRequestLog(
        id=uuid.uuid4(),
        request_id="bad",
        method="GET",
        path="/api/v1/me",
        remote_address="x" * 100,
        created_at=timezone.now(),
    )
    writer().put(bad)
    APIClient().get("/api/v1/me")
    assert [row.path for row in rows()] == ["/api/v1/me"]
    assert rows()[0].request_id != "bad"
