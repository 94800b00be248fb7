"""Tokens: log-in, refresh with rotation, revocation, and what a token alone decides."""

import io
import os
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt import state
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from core.environment import CoreEnvironment
from core.token_keys import KeyRing, key_id
from etebar_common.environment import load
from payments.models import AuditEntry, Merchant
from payments.tests.factories import fund_pool, make_merchant, make_staff, merchant_client, withdraw
from payments.tests.test_concurrent_withdrawals import all_at_once
from payments.tokens import authentication
from payments.tokens.authentication import access_token_for
from payments.tokens.log_in import Entered
from payments.tokens.revocation import tokens_spend
from payments.tokens.services import token_pair

pytestmark = pytest.mark.usefixtures("books")
STRONG = "a-Passw0rd-nobody-guesses"


def post(path: str, body: dict[str, Any]) -> Any:
    return APIClient().post(f"/api/v1/auth/{path}", body, format="json")


def log_in() -> dict[str, str]:
    merchant = make_merchant()
    tokens: dict[str, str] = post("token", {"username": merchant.user.username, "password": "p"}).json()
    return tokens


def refreshed(token: str) -> str:
    return str(post("token/refresh", {"refresh": token}).json()["refresh"])


def let_the_grace_pass() -> None:
    """What was spent was spent a while ago."""
    BlacklistedToken.objects.update(blacklisted_at=timezone.now() - timedelta(minutes=5))


def authorizes(token: str, path: str = "me") -> bool:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return bool(client.get(f"/api/v1/{path}").status_code == 200)


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

    def test_a_spent_token_is_answered_with_the_same_again_for_a_while(self) -> None:
        refresh = log_in()["refresh"]
        first, again = (post("token/refresh", {"refresh": refresh}) for _ in range(2))
        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json()["refresh"] == again.json()["refresh"] != refresh
        assert authorizes(again.json()["access"])
        assert post("token/verify", {"token": refresh}).status_code == 401

    def test_a_refresh_token_is_spent_once(self) -> None:
        refresh = log_in()["refresh"]
        assert post("token/refresh", {"refresh": refresh}).status_code == 200
        let_the_grace_pass()
        again = post("token/refresh", {"refresh": refresh})
        assert (again.status_code, again.json()["code"]) == (401, "token_invalid")

    def test_an_access_token_does_not_refresh(self) -> None:
        assert post("token/refresh", {"refresh": log_in()["access"]}).json()["code"] == "token_invalid"

    def test_simultaneous_refreshes_with_one_token_make_one_new_token(self) -> None:
        refresh = log_in()["refresh"]
        answers = all_at_once([lambda: post("token/refresh", {"refresh": refresh})] * 6)
        assert Counter(answer.status_code for answer in answers) == {200: 6}
        assert len({answer.json()["refresh"] for answer in answers}) == 1
        assert OutstandingToken.objects.count() == 2

    def test_leave_nothing_in_the_table_that_authorizes(self) -> None:
        refreshed(refreshed(log_in()["refresh"]))
        assert list(OutstandingToken.objects.values_list("token", flat=True)) == [""] * 3

    def test_a_lost_answer_is_given_again_with_all_that_it_said(self) -> None:
        refresh = log_in()["refresh"]
        first, again = (RefreshToken(post("token/refresh", {"refresh": refresh}).json()["refresh"]) for _ in range(2))
        assert first.payload == again.payload

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


class TestAStolenRefreshToken:
    """Thief and owner both hold it; whoever comes second shows that, and neither goes on."""

    def test_shown_after_it_was_spent_revokes_all_that_came_of_it(self) -> None:
        stolen = log_in()["refresh"]
        second = refreshed(stolen)
        third = refreshed(second)
        let_the_grace_pass()
        assert post("token/refresh", {"refresh": stolen}).status_code == 401
        for token in (stolen, second, third):
            assert post("token/refresh", {"refresh": token}).status_code == 401
            assert post("token/verify", {"token": token}).status_code == 401

    def test_shown_within_the_grace_when_its_successor_is_spent_revokes_as_well(self) -> None:
        stolen = log_in()["refresh"]
        third = refreshed(refreshed(stolen))
        assert post("token/refresh", {"refresh": stolen}).status_code == 401
        assert post("token/refresh", {"refresh": third}).status_code == 401

    def test_leaves_the_accounts_other_log_ins_alone(self) -> None:
        merchant = make_merchant()
        credentials = {"username": merchant.user.username, "password": "p"}
        stolen, other = (post("token", credentials).json()["refresh"] for _ in range(2))
        refreshed(stolen)
        let_the_grace_pass()
        assert post("token/refresh", {"refresh": stolen}).status_code == 401
        assert post("token/refresh", {"refresh": other}).status_code == 200

    def test_is_in_the_audit_once(self) -> None:
        stolen = log_in()["refresh"]
        refreshed(stolen)
        let_the_grace_pass()
        for _ in range(3):
            post("token/refresh", {"refresh": stolen})
        [entry] = AuditEntry.objects.filter(action="refresh_token_reused")
        merchant = Merchant.objects.get()
        assert (entry.actor, entry.merchant_id) == (f"user:{merchant.user.username}", merchant.pk)
        assert stolen not in str(entry.detail)

    def test_that_was_revoked_and_not_spent_is_no_theft(self) -> None:
        refresh = log_in()["refresh"]
        tokens_spend(User.objects.get(merchant__isnull=False))
        assert post("token/refresh", {"refresh": refresh}).status_code == 401
        assert not AuditEntry.objects.filter(action="refresh_token_reused").exists()

    def test_shown_while_its_successor_is_refreshed_leaves_no_way_on(self) -> None:
        stolen = log_in()["refresh"]
        second = refreshed(stolen)
        let_the_grace_pass()
        answers = all_at_once(
            [lambda token=token: post("token/refresh", {"refresh": token}) for token in (stolen, second)]
        )
        left = [answer.json()["refresh"] for answer in answers if answer.status_code == 200]
        assert {post("token/refresh", {"refresh": token}).status_code for token in left} <= {401}
        assert answers[0].status_code == 401


class TestANewPassword:
    """Whoever has a refresh token of before it is to learn that it is over."""

    @pytest.fixture
    def staff(self) -> User:
        return make_staff()

    @pytest.fixture
    def refresh(self, staff: User) -> str:
        return self.entered(staff, "staff-password").json()["refresh"]

    def entered(self, user: User, password: str) -> Any:
        return post("token", {"username": user.username, "password": password})

    def is_over(self, refresh: str) -> bool:
        asked = [post("token/refresh", {"refresh": refresh}), post("token/verify", {"token": refresh})]
        return [answer.status_code for answer in asked] == [401, 401]

    def test_set_in_the_console_spends_refresh_tokens(self, staff: User, refresh: str) -> None:
        console = Client()
        console.force_login(staff)
        fields = {"old_password": "staff-password", "new_password1": STRONG, "new_password2": STRONG}
        assert console.post("/admin/password_change/", fields).status_code == 302
        assert self.is_over(refresh)
        assert self.entered(staff, STRONG).status_code == 200

    def test_set_by_the_command_spends_refresh_tokens(
        self, staff: User, refresh: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("getpass.getpass", lambda prompt: STRONG)
        call_command("changepassword", staff.username, stdout=io.StringIO())
        assert self.is_over(refresh)

    def test_leaves_other_accounts_tokens_alone(self, staff: User, refresh: str) -> None:
        other = make_staff()
        other.set_password(STRONG)
        other.save()
        assert post("token/refresh", {"refresh": refresh}).status_code == 200

    def test_set_while_somebody_logs_in_by_the_old_one_gives_no_token(
        self, staff: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def first_another_password(entered: Entered) -> Any:
            changed = User.objects.get(pk=staff.pk)
            changed.set_password(STRONG)
            changed.save()
            return token_pair(entered)

        monkeypatch.setattr("payments.tokens.api.token_pair", first_another_password)
        assert self.entered(staff, "staff-password").json()["code"] == "credentials_invalid"
        assert not OutstandingToken.objects.exists()

    def test_set_while_a_token_is_refreshed_spends_the_new_one(self, staff: User, refresh: str) -> None:
        """However the two meet: run with the rest, each time another way."""

        def set_password() -> None:
            staff.set_password(STRONG)
            staff.save()

        answer, _ = all_at_once([lambda: post("token/refresh", {"refresh": refresh}), set_password])
        assert all(self.is_over(each) for each in (refresh, answer.json().get("refresh", refresh)))


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has tokens made and verified with these keys, the first of which signs."""

    def use(*keys: str) -> None:
        monkeypatch.setattr(state, "token_backend", KeyRing(keys[0], keys[1:]))
        authentication._verified.cache_clear()

    yield use
    authentication._verified.cache_clear()


class TestTheSigningKey:
    OLD, NEW = "old-key-" + "x" * 32, "new-key-" + "y" * 32

    def test_is_named_by_each_token(self) -> None:
        signing = settings.SIMPLE_JWT["SIGNING_KEY"]
        for token in log_in().values():
            assert jwt.get_unverified_header(token)["kid"] == key_id(signing)
            assert signing not in token

    def test_is_replaced_while_both_serve(self, ring: Any) -> None:
        ring(self.OLD, self.NEW)
        before = log_in()
        ring(self.NEW, self.OLD)
        assert authorizes(before["access"])
        after = post("token/refresh", {"refresh": before["refresh"]}).json()
        ring(self.OLD, self.NEW)  # a pod that signs with the old one still
        assert authorizes(after["access"])
        ring(self.NEW)
        assert authorizes(after["access"])
        assert post("token/verify", {"token": after["refresh"]}).status_code == 200

    def test_no_longer_verifies_when_it_has_left_the_ring(self, ring: Any) -> None:
        ring(self.OLD)
        before = log_in()
        ring(self.NEW)
        assert not authorizes(before["access"])
        assert post("token/refresh", {"refresh": before["refresh"]}).status_code == 401

    def test_verifies_tokens_of_before_that_name_none(self, ring: Any) -> None:
        ring(self.NEW, self.OLD)
        claims = access_token_for(make_staff(), None, timedelta(minutes=5)).payload
        assert authorizes(jwt.encode(claims, self.NEW, "HS256"), path="admin/pool")
        assert not authorizes(jwt.encode(claims, self.OLD, "HS256"), path="admin/pool")

    def test_of_another_name_does_not_count(self, ring: Any) -> None:
        ring(self.NEW, self.OLD)
        claims = access_token_for(make_staff(), None, timedelta(minutes=5)).payload
        for kid in (key_id(self.OLD), "", "../../etc/passwd", "x" * 5000):
            assert not authorizes(jwt.encode(claims, self.NEW, "HS256", headers={"kid": kid}), path="admin/pool")

    @pytest.mark.parametrize("name", ["JWT_SIGNING_KEY", "JWT_SIGNING_KEYS_PREVIOUS"])
    def test_of_less_than_32_characters_is_refused_at_the_start(self, name: str) -> None:
        with pytest.raises(SystemExit, match=rf"{name}\S* is too short: at least 32 characters are needed"):
            load(CoreEnvironment, "core", {**os.environ, name: "x" * 31})

    def test_may_have_several_before_it(self) -> None:
        keys = load(CoreEnvironment, "core", {**os.environ, "JWT_SIGNING_KEYS_PREVIOUS": f"{self.OLD},{self.NEW}"})
        assert [key.get_secret_value() for key in keys.jwt_signing_keys_previous] == [self.OLD, self.NEW]
        assert self.OLD not in repr(keys)


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

    def test_a_token_of_a_pod_whose_clock_is_ahead_is_good_and_no_longer_for_it(self) -> None:
        user = make_staff()

        def made_at(seconds: int, lives: int) -> str:
            now = int(time.time()) + seconds
            token = AccessToken.for_user(user)
            claims = {**token.payload, "iat": now, "exp": now + lives, "username": "x", "merchant_id": None}
            return jwt.encode(claims, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")

        assert authorizes(made_at(30, 300), path="admin/pool")
        assert not authorizes(made_at(90, 300), path="admin/pool")
        assert not authorizes(made_at(-300, 299), path="admin/pool")

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
