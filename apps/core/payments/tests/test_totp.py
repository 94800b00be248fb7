"""Staff's second factor, at both doors."""

import time
from io import StringIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.test import APIClient

from core import admin_site, urls
from core.environment import ENVIRONMENT, StaffTotp
from payments.models import AuditEntry
from payments.staff import second_factor
from payments.tests.factories import make_merchant, make_staff
from payments.tests.test_concurrent_withdrawals import all_at_once

pytestmark = pytest.mark.usefixtures("books")

PASSWORD = "staff-password"


@pytest.fixture(autouse=True)
def policy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets STAFF_TOTP; it is `required` to begin with."""

    def is_now(value: StaffTotp) -> None:
        settings = ENVIRONMENT.model_copy(update={"staff_totp": value})
        for module in (second_factor, admin_site):
            monkeypatch.setattr(module, "ENVIRONMENT", settings)

    is_now(StaffTotp.REQUIRED)
    return is_now


@pytest.fixture
def staff() -> User:
    """Enrolled."""
    user = make_staff()
    call_command("staff", "totp", user.username, stdout=StringIO(), stderr=StringIO())
    return user


def code_of(user: User, steps: int = 0) -> str:
    """The code now, or some steps of 30 s later; of a device that its owner's clock agrees with."""
    device = TOTPDevice.objects.get(user=user)
    generator = TOTP(device.bin_key, device.step, device.t0, device.digits)
    generator.time = time.time() + steps * device.step
    return f"{generator.token():06d}"


def by_api(user: User, **fields: str) -> Any:
    body = {"username": user.username, "password": PASSWORD, **fields}
    return APIClient().post("/api/v1/auth/token", body, format="json")


def by_form(user: User, client: Client | None = None, **fields: str) -> Any:
    body = {"username": user.username, "password": PASSWORD, **fields}
    return (client or Client()).post("/admin/login/?next=/admin/", body)


def reasons() -> list[str]:
    entries = AuditEntry.objects.filter(action="log_in_failed").order_by("pk")
    return [entry.detail["reason"] for entry in entries]


class TestTheApi:
    def test_lets_nobody_in_by_the_password_alone(self, staff: User) -> None:
        answer = by_api(staff)
        assert (answer.status_code, answer.json()["code"]) == (401, "otp_needed")
        answer = by_api(staff, otp="000000" if code_of(staff) != "000000" else "000001")
        assert (answer.status_code, answer.json()["code"]) == (401, "otp_invalid")
        assert reasons() == ["otp_missing", "otp"]

    def test_lets_in_by_both(self, staff: User) -> None:
        tokens = by_api(staff, otp=code_of(staff)).json()
        assert APIClient().post("/api/v1/auth/token/refresh", {"refresh": tokens["refresh"]}, format="json").json()
        entry = AuditEntry.objects.get(action="log_in")
        assert (entry.actor, entry.detail["totp"]) == (f"staff:{staff.username}", "True")

    def test_says_nothing_of_a_second_factor_to_who_does_not_know_the_password(self, staff: User) -> None:
        answer = by_api(staff, password="wrong", otp=code_of(staff))
        assert answer.json()["code"] == "credentials_invalid"
        # and that used no code up
        assert by_api(staff, otp=code_of(staff)).status_code == 200

    def test_takes_a_code_once(self, staff: User) -> None:
        code = code_of(staff)
        assert by_api(staff, otp=code).status_code == 200
        assert by_api(staff, otp=code).json()["code"] == "otp_invalid"

    def test_takes_a_code_once_of_many_at_the_same_time(self, staff: User) -> None:
        code = code_of(staff)
        statuses = [answer.status_code for answer in all_at_once([lambda: by_api(staff, otp=code)] * 5)]
        assert statuses.count(200) == 1

    def test_has_who_guesses_codes_wait(self, staff: User) -> None:
        for _ in range(3):
            by_api(staff, otp="1")
        answer = by_api(staff, otp=code_of(staff))
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["Retry-After"]) <= 4

    @pytest.mark.parametrize("code", ["", " ", "abcdef", "-1", "1e5", "٠١٢٣٤٥", "999999999999999"])
    def test_takes_nothing_else_for_a_code(self, staff: User, code: str) -> None:
        assert by_api(staff, otp=code).status_code in {401, 422}

    def test_refuses_staff_without_one_where_it_is_required(self) -> None:
        answer = by_api(make_staff())
        assert answer.json()["code"] == "otp_needed"

    def test_asks_no_merchant(self) -> None:
        merchant = make_merchant()
        assert by_api(merchant.user, password="p").status_code == 200

    def test_asks_only_the_enrolled_where_it_is_optional(self, policy: Any, staff: User) -> None:
        policy(StaffTotp.OPTIONAL)
        assert by_api(make_staff()).status_code == 200
        assert by_api(staff).json()["code"] == "otp_needed"

    def test_asks_nobody_where_it_is_off(self, policy: Any, staff: User) -> None:
        policy(StaffTotp.OFF)
        assert by_api(staff).status_code == 200

    def test_refreshes_no_token_of_before_it_was_demanded(self, policy: Any) -> None:
        policy(StaffTotp.OFF)
        refresh = by_api(make_staff()).json()["refresh"]
        policy(StaffTotp.REQUIRED)
        answer = APIClient().post("/api/v1/auth/token/refresh", {"refresh": refresh}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


class TestTheAdmin:
    def test_lets_nobody_in_by_the_password_alone(self, staff: User) -> None:
        client = Client()
        shown = by_form(staff, client)
        assert (shown.status_code, b"A code of the second factor is needed" in shown.content) == (200, True)
        assert client.get("/admin/").status_code == 302
        assert by_form(staff, client, otp=code_of(staff)).status_code == 302
        assert client.get("/admin/").status_code == 200

    def test_knows_no_session_of_before_it_was_demanded(self, policy: Any, staff: User) -> None:
        policy(StaffTotp.OFF)
        client = Client()
        assert by_form(staff, client).status_code == 302
        assert client.get("/admin/").status_code == 200
        policy(StaffTotp.REQUIRED)
        assert client.get("/admin/").status_code == 302

    def test_has_no_field_for_it_where_it_is_off(self, policy: Any) -> None:
        assert b'name="otp"' in Client().get("/admin/login/").content
        policy(StaffTotp.OFF)
        assert b'name="otp"' not in Client().get("/admin/login/").content

    def test_shows_no_secret(self) -> None:
        assert not admin.site.is_registered(TOTPDevice)

    def test_is_not_there_when_it_is_switched_off(self) -> None:
        without, with_it = (
            [str(each.pattern) for each in urls.addresses(admin_enabled=enabled)] for enabled in (False, True)
        )
        assert [*without, "admin/language", "admin/"] == with_it
        assert not any(path.startswith("admin") for path in without)


class TestEnrolment:
    def test_prints_an_url_that_an_authenticator_reads(self) -> None:
        user, said = make_staff(), StringIO()
        call_command("staff", "totp", user.username, stdout=said, stderr=StringIO())
        url = urlsplit(said.getvalue().strip())
        assert (url.scheme, url.netloc, url.path) == ("otpauth", "totp", f"/Etebar%3A{user.username}")
        assert len(parse_qs(url.query)["secret"][0]) == 32

    def test_makes_the_one_before_and_refresh_tokens_void(self, staff: User) -> None:
        code = code_of(staff)
        refresh = by_api(staff, otp=code).json()["refresh"]
        old = code_of(staff, steps=1)
        call_command("staff", "totp", staff.username, stdout=StringIO(), stderr=StringIO())
        assert by_api(staff, otp=old).json()["code"] == "otp_invalid"
        answer = APIClient().post("/api/v1/auth/token/verify", {"token": refresh}, format="json")
        assert answer.status_code == 401

    def test_is_for_active_staff_alone(self) -> None:
        merchant = make_merchant()
        with pytest.raises(CommandError, match="there is no member of staff"):
            call_command("staff", "totp", merchant.user.username)

    def test_is_in_the_audit_whatever_way_it_came_about(self, staff: User) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE otp_totp_totpdevice SET key = repeat('0', 40) WHERE user_id = %s", [staff.pk])
            cursor.execute("DELETE FROM otp_totp_totpdevice WHERE user_id = %s", [staff.pk])
        entries = AuditEntry.objects.filter(action__startswith="totp_").order_by("pk")
        assert [entry.action for entry in entries] == ["totp_set", "totp_changed", "totp_removed"]
        assert {(entry.user_id, entry.detail["username"]) for entry in entries} == {(staff.pk, staff.username)}
