"""Rate limits: who is counted, what 429 says, and that the money path goes on without Redis."""

import socket
from collections import Counter
from typing import Any

import pytest
from django.test import Client, RequestFactory
from rest_framework.test import APIClient

from core import client_address as client_address_module
from core import rate_limits
from core.client_address import client_address
from core.environment import ENVIRONMENT
from core.rate_limits import Limiter
from payments.tests.factories import fund_pool, make_merchant, make_staff, merchant_client, withdraw
from payments.tests.test_concurrent_withdrawals import all_at_once

pytestmark = pytest.mark.usefixtures("books")


def log_in(username: str = "nobody", password: str = "x", **headers: Any) -> Any:  # noqa: S107 - a wrong one
    fields = {"username": username, "password": password}
    return APIClient().post("/api/v1/auth/token", fields, format="json", **headers)


def admin_log_in(username: str, password: str, **headers: Any) -> Any:
    fields = {"username": username, "password": password, "next": "/admin/"}
    return Client().post("/admin/login/", fields, **headers)


class TestLimits:
    def test_a_merchant_over_its_limit_is_told_when_to_come_back(self, limits: Any) -> None:
        fund_pool()
        client = merchant_client(make_merchant())
        limits(merchant="2/minute")
        assert [withdraw(client).status_code for _ in range(3)] == [201, 201, 429]
        answer = withdraw(client)
        assert answer.json()["code"] == "rate_limited"
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
        assert answer.headers["RateLimit"].startswith('"merchant";r=0;t=')
        assert answer.headers["RateLimit-Policy"] == '"merchant";q=2;w=60'

    def test_merchants_are_counted_apart(self, limits: Any) -> None:
        fund_pool()
        limits(merchant="1/minute")
        assert {withdraw(merchant_client(make_merchant())).status_code for _ in range(3)} == {201}

    def test_addresses_are_counted(self, limits: Any) -> None:
        limits(address="1/minute")
        statuses = [
            APIClient().get("/api/v1/me", REMOTE_ADDR=ip).status_code for ip in ("10.0.0.1", "10.0.0.1", "10.0.0.2")
        ]
        assert statuses == [401, 401, 401]
        client = merchant_client(make_merchant())
        assert [client.get("/api/v1/me", REMOTE_ADDR="10.0.0.3").status_code for _ in range(2)] == [200, 429]

    def test_guessing_passwords_is_slow_for_an_address(self, limits: Any) -> None:
        limits(token="2/minute")
        assert [log_in(f"n{number}").status_code for number in range(3)] == [401, 401, 429]

    def test_an_ipv6_subscriber_has_one_address(self, limits: Any) -> None:
        limits(token="2/minute")
        answers = [log_in(f"n{number}", REMOTE_ADDR=f"2001:db8:0:1::{number}") for number in range(1, 4)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert log_in("n4", REMOTE_ADDR="2001:db8:0:2::1").status_code == 401

    def test_guessing_one_accounts_password_is_slow_from_everywhere(self, limits: Any) -> None:
        limits(token_account="2/minute")
        one_account = [log_in("victim", REMOTE_ADDR=f"10.1.0.{number}").status_code for number in range(3)]
        assert one_account == [401, 401, 429]

    def test_strangers_lock_nobody_out_who_has_logged_in_from_there_before(self, limits: Any) -> None:
        limits(token="2/minute", token_account="3/minute")
        name, home = make_merchant().user.username, "10.3.0.1"
        assert log_in(name, "p", REMOTE_ADDR=home).status_code == 200
        for number in range(2, 8):
            log_in(name, REMOTE_ADDR=f"10.3.0.{number}")
        assert log_in(name, "p", REMOTE_ADDR="10.3.0.9").status_code == 429
        assert log_in(name, "p", REMOTE_ADDR=home).status_code == 200

    def test_who_mistypes_at_home_stops_nobody_elsewhere(self, limits: Any) -> None:
        limits(token_account="1/minute")
        name, home = make_merchant().user.username, "10.4.0.1"
        assert log_in(name, "p", REMOTE_ADDR=home).status_code == 200
        assert {log_in(name, REMOTE_ADDR=home).status_code for _ in range(4)} == {401}
        assert log_in(name, "p", REMOTE_ADDR="10.4.0.2").status_code == 200

    def test_successes_are_not_counted(self, limits: Any) -> None:
        limits(token="2/minute", token_account="2/minute")
        name = make_merchant().user.username
        assert [log_in(name, "p").status_code for _ in range(5)] == [200] * 5
        assert [log_in(name).status_code for _ in range(3)] == [401, 401, 429]

    def test_guesses_at_the_same_time_are_all_counted(self, limits: Any) -> None:
        limits(token="3/minute")
        name = make_merchant().user.username
        answers = all_at_once([lambda: log_in(name)] * 8)
        assert Counter(answer.status_code for answer in answers) == {401: 3, 429: 5}

    def test_the_admins_log_in_is_counted_with_the_token_endpoint(self, limits: Any) -> None:
        limits(token="2/minute")
        assert [log_in("n1").status_code, admin_log_in("n2", "x").status_code] == [401, 200]
        answer = admin_log_in("n3", "x")
        assert (answer.status_code, answer.headers["Content-Type"]) == (429, "text/html; charset=utf-8")
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
        assert APIClient().get("/admin/login/").status_code == 200

    def test_the_admins_log_in_is_counted_per_account(self, limits: Any) -> None:
        limits(token_account="2/minute")
        answers = [admin_log_in("victim", "x", REMOTE_ADDR=f"10.2.0.{number}") for number in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]

    def test_the_admins_log_in_works_within_the_limit(self, limits: Any) -> None:
        limits(token="2/minute")
        answer = admin_log_in(make_staff().username, "staff-password")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")

    def test_off_is_off(self, limits: Any) -> None:
        limits(token="off", token_account="off", address="off", merchant="off")
        assert {log_in().status_code for _ in range(20)} == {401}


class TestWithoutRedis:
    def test_the_money_path_goes_on(self, limits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        limits(merchant="1/minute", address="1/minute")
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            limiter = Limiter(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")
        monkeypatch.setattr(rate_limits, "limiter", lambda: limiter)
        fund_pool()
        merchant = make_merchant()
        assert log_in(merchant.user.username, "p").status_code == 200
        client = merchant_client(merchant)
        assert [withdraw(client).status_code for _ in range(3)] == [201, 201, 201]


class TestClientAddress:
    @pytest.mark.parametrize(
        ("trusted", "peer", "forwarded", "expected"),
        [
            ([], "10.0.0.9", "1.1.1.1", "10.0.0.9"),
            (["10.0.0.0/8"], "10.0.0.9", "", "10.0.0.9"),
            (["10.0.0.0/8"], "10.0.0.9", "1.1.1.1", "1.1.1.1"),
            (["10.0.0.0/8"], "10.0.0.9", "6.6.6.6, 1.1.1.1, 10.0.0.8", "1.1.1.1"),
            (["10.0.0.0/8"], "8.8.8.8", "1.1.1.1", "8.8.8.8"),
            (["10.0.0.0/8"], "10.0.0.9", "1.1.1.1, <script>", "10.0.0.9"),
            (["fd00::/8"], "fd00::1", "2001:db8::5", "2001:db8::5"),
            (["fd00::/8"], "fd00::1", "fe80::1%" + "A" * 60, "fd00::1"),
        ],
    )
    def test_only_trusted_proxies_are_believed(
        self, monkeypatch: pytest.MonkeyPatch, trusted: list[str], peer: str, forwarded: str, expected: str
    ) -> None:
        settings = ENVIRONMENT.model_copy(update={"trusted_proxies": trusted})
        monkeypatch.setattr(client_address_module, "ENVIRONMENT", settings)
        client_address_module._trusted.cache_clear()
        request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
        assert client_address(request) == expected
        client_address_module._trusted.cache_clear()
