"""Tokens: log-in, refresh with rotation, revocation, and what a token alone decides."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from payments.tests.factories import fund_pool, make_merchant, make_staff, merchant_client, withdraw
from payments.tests.test_concurrent_withdrawals import all_at_once
from payments.tokens.authentication import access_token_for

pytestmark = pytest.mark.usefixtures("books")


def post(path: str, body: dict[str, Any]) -> Any:
    return APIClient().post(f"/api/v1/auth/{path}", body, format="json")


def log_in() -> dict[str, str]:
    merchant = make_merchant()
    tokens: dict[str, str] = post("token", {"username": merchant.user.username, "password": "p"}).json()
    return tokens


class TestLogIn:
    def test_a_wrong_password_and_an_unknown_name_are_answered_alike(self) -> None:
        merchant = make_merchant()
        wrong = post("token", {"username": merchant.user.username, "password": "x"})
        unknown = post("token", {"username": "nobody", "password": "x"})
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json() == unknown.json()
        assert wrong.json()["code"] == "credentials_invalid"

    def test_a_deactivated_account_is_answered_alike(self) -> None:
        merchant = make_merchant()
        merchant.user.is_active = False
        merchant.user.save()
        answer = post("token", {"username": merchant.user.username, "password": "p"})
        assert answer.json()["code"] == "credentials_invalid"


class TestRefresh:
    def test_gives_a_new_pair_that_works(self) -> None:
        pair = post("token/refresh", {"refresh": log_in()["refresh"]}).json()
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {pair['access']}")
        assert client.get("/api/v1/me").json()["state"] == "approved"

    def test_a_refresh_token_is_spent_once(self) -> None:
        refresh = log_in()["refresh"]
        assert post("token/refresh", {"refresh": refresh}).status_code == 200
        again = post("token/refresh", {"refresh": refresh})
        assert (again.status_code, again.json()["code"]) == (401, "token_invalid")
        assert post("token/verify", {"token": refresh}).status_code == 401

    def test_an_access_token_does_not_refresh(self) -> None:
        assert post("token/refresh", {"refresh": log_in()["access"]}).json()["code"] == "token_invalid"

    def test_of_simultaneous_refreshes_with_one_token_one_gets_a_pair(self) -> None:
        refresh = log_in()["refresh"]
        answers = all_at_once([lambda: post("token/refresh", {"refresh": refresh})] * 6)
        assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 5}
        assert {answer.json()["code"] for answer in answers if answer.status_code == 401} == {"token_invalid"}

    def test_the_token_of_a_deactivated_account_is_invalid(self) -> None:
        refresh = log_in()["refresh"]
        User.objects.update(is_active=False)
        answer = post("token/refresh", {"refresh": refresh})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")

    def test_the_token_of_a_deleted_account_is_invalid(self) -> None:
        staff = make_staff()
        refresh = str(RefreshToken.for_user(staff))
        staff.delete()
        answer = post("token/refresh", {"refresh": refresh})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")

    def test_a_token_that_leaves_no_trace_is_invalid(self) -> None:
        refresh = log_in()["refresh"]
        OutstandingToken.objects.all().delete()
        answer = post("token/refresh", {"refresh": refresh})
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


class TestVerify:
    def test_good_tokens_are_verified(self) -> None:
        tokens = log_in()
        assert post("token/verify", {"token": tokens["access"]}).status_code == 200
        assert post("token/verify", {"token": tokens["refresh"]}).status_code == 200

    @pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
    def test_bad_tokens_are_not(self, token: str) -> None:
        assert post("token/verify", {"token": token}).json()["code"] == "token_invalid"


class TestAuthorization:
    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer a b", "Bearer x", "Bearer \u00e9", "Bearer eyJhbGciOiJub25lIn0.e30."]
    )
    def test_a_bad_header_is_refused(self, header: str) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=header)
        answer = client.get("/api/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")

    def test_an_expired_token_is_refused(self) -> None:
        merchant = make_merchant()
        client = APIClient()
        token = access_token_for(merchant.user, merchant.pk, timedelta(seconds=-1))
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        assert client.get("/api/v1/me").json()["code"] == "token_invalid"

    def test_a_refresh_token_does_not_authorize(self) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {log_in()['refresh']}")
        assert client.get("/api/v1/me").json()["code"] == "token_invalid"

    def test_a_token_without_our_claims_is_refused(self) -> None:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(make_staff())}")
        assert client.get("/api/v1/me").json()["code"] == "token_invalid"

    def test_staff_who_lost_their_rights_lose_them_at_once(self) -> None:
        staff = make_staff()
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {access_token_for(staff, None, timedelta(minutes=5))}")
        assert client.get("/api/v1/admin/pool").status_code == 200
        staff.is_staff = False
        staff.save()
        assert client.get("/api/v1/admin/pool").status_code == 403

    def test_a_withdrawals_request_asks_the_database_nothing_itself(self) -> None:
        fund_pool()
        client = merchant_client(make_merchant())
        with CaptureQueriesContext(connection) as queries:
            assert withdraw(client).status_code == 201
        assert queries.captured_queries == []


def test_the_signing_key_is_not_the_secret_key() -> None:
    assert settings.SIMPLE_JWT["SIGNING_KEY"] != settings.SECRET_KEY


@pytest.mark.parametrize("model", [OutstandingToken, BlacklistedToken])
def test_the_admin_shows_no_tokens(model: type) -> None:
    assert not admin.site.is_registered(model)
