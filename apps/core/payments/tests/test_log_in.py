"""Logging in: what it costs, what it tells, and what becomes of old hashes."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import BasePasswordHasher, get_hashers, make_password
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from core import password_hashing
from core.environment import ENVIRONMENT
from core.password_hashing import PBKDF2, Argon2, Gate
from etebar_common.problems import LogInsBusy
from payments.models import AuditEntry
from payments.onboarding import authentication
from payments.tests.factories import make_merchant, make_staff
from payments.tests.operator import OBJECT, TOKEN, client, kept, operator
from payments.tests.test_concurrent_withdrawals import all_at_once
from payments.tokens import log_in as log_in_module

__all__ = ["authentication", "operator"]

pytestmark = pytest.mark.usefixtures("books")

AS_IN_PRODUCTION = ["core.password_hashing.Argon2", "core.password_hashing.PBKDF2"]


@pytest.fixture
def _real_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = AS_IN_PRODUCTION


def by_api(username: str, password: str) -> Any:
    body = {"username": username, "password": password}
    return APIClient().post("/api/v1/auth/token", body, format="json")


def by_form(username: str, password: str) -> Any:
    return Client().post("/admin/login/?next=/admin/", {"username": username, "password": password})


def without_password() -> str:
    return User.objects.create_user("passwordless", password=None).username


def inactive() -> str:
    return User.objects.create_user("inactive", password="p", is_active=False, is_staff=True).username


class TestWhatALogInCosts:
    @pytest.mark.parametrize("door", [by_api, by_form])
    @pytest.mark.parametrize(
        "username",
        [lambda: "nobody", inactive, without_password, lambda: make_staff().username],
        ids=["unknown", "inactive", "passwordless", "wrong"],
    )
    def test_is_one_hash_whoever_it_is(
        self, monkeypatch: pytest.MonkeyPatch, username: Callable[[], str], door: Callable[[str, str], Any]
    ) -> None:
        name, hashes = username(), []
        hasher: BasePasswordHasher = get_hashers()[0]
        encode = type(hasher).encode

        def counted(self: BasePasswordHasher, password: str, salt: str, *rest: Any) -> str:
            hashes.append(password)
            return encode(self, password, salt, *rest)

        # MD5 here: its verify() encodes, so that each look at a password is counted once
        monkeypatch.setattr(type(hasher), "encode", counted)
        answer = door(name, "p")
        assert answer.status_code in {401, 200}  # the form is shown again
        assert len(hashes) == 1

    def test_is_bounded_in_number(self) -> None:
        gate, inside, most = Gate(2), [], []

        def one() -> None:
            with gate.turn():
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.02)
                inside.pop()

        all_at_once([one] * 10)
        assert len(most) == 10
        assert max(most) == 2

    def test_is_refused_when_too_many_wait(self) -> None:
        gate, leave = Gate(1), threading.Event()
        arrived = threading.Barrier(1 + 1 + password_hashing.WAITING_PER_TURN)

        def one() -> None:
            arrived.wait(10)
            with gate.turn():
                leave.wait(10)

        threads = [threading.Thread(target=one) for _ in range(1 + password_hashing.WAITING_PER_TURN)]
        for each in threads:
            each.start()
        arrived.wait(10)
        while gate._places._value:
            time.sleep(0.001)
        with pytest.raises(LogInsBusy) as refused, gate.turn():
            pass
        leave.set()
        for each in threads:
            each.join(10)
        assert refused.value.headers == {"Retry-After": "2"}
        with gate.turn():
            assert gate._places._value == password_hashing.WAITING_PER_TURN

    @pytest.mark.usefixtures("_real_hashes")
    def test_is_answered_503_at_both_doors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        staff = make_staff()
        full = Gate(1)
        monkeypatch.setattr(password_hashing, "gate", full)
        for _ in range(1 + password_hashing.WAITING_PER_TURN):
            assert full._places.acquire(blocking=False)
        answer = by_api(staff.username, "staff-password")
        assert (answer.status_code, answer.json()["code"]) == (503, "log_ins_busy")
        answer = by_form(staff.username, "staff-password")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")

    def test_fits_the_pod(self) -> None:
        """All the hashes at once take less than a tenth of core-web's 768 MiB, as the chart has it."""
        assert Argon2.memory_cost * 1024 * ENVIRONMENT.password_hashes_at_once < 768 * 1024 * 1024 / 10


@pytest.mark.usefixtures("_real_hashes")
class TestAnOldHash:
    @pytest.fixture
    def old(self) -> Iterator[User]:
        user = make_merchant().user
        user.password = PBKDF2().encode("p", "salt", iterations=1000)
        user.save()
        return user

    def test_is_replaced_at_the_log_in(self, old: User) -> None:
        assert by_api(old.username, "p").status_code == 200
        old.refresh_from_db()
        assert old.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        assert by_api(old.username, "p").status_code == 200

    def test_stays_when_the_password_is_wrong(self, old: User) -> None:
        assert by_api(old.username, "x").status_code == 401
        before = old.password
        old.refresh_from_db()
        assert old.password == before

    def test_never_brings_back_a_password_that_was_replaced_meanwhile(
        self, old: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new = make_password("another")

        def meanwhile(password: str) -> str:
            User.objects.filter(pk=old.pk).update(password=new)
            return make_password(password)

        monkeypatch.setattr(log_in_module, "make_password", meanwhile)
        assert by_api(old.username, "p").status_code == 401
        old.refresh_from_db()
        assert old.password == new

    def test_of_an_objects_merchant_is_no_change_of_its_password(
        self, operator: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.PASSWORD_HASHERS = AS_IN_PRODUCTION[::-1]
        monkeypatch.setattr(PBKDF2, "iterations", 1000)
        settings.ROOT_URLCONF = "core.internal_urls"
        kept(operator)
        settings.PASSWORD_HASHERS = AS_IN_PRODUCTION
        settings.ROOT_URLCONF = "core.urls"
        refresh = by_api(OBJECT["username"], OBJECT["password"]).json()["refresh"]
        assert User.objects.get(username=OBJECT["username"]).password.startswith("argon2")
        settings.ROOT_URLCONF = "core.internal_urls"
        kept(client(TOKEN), generation=2)
        settings.ROOT_URLCONF = "core.urls"
        assert APIClient().post("/api/v1/auth/token/verify", {"token": refresh}, format="json").status_code == 200
        assert not AuditEntry.objects.filter(action="credentials_set").exists()


class TestTheAudit:
    @pytest.mark.parametrize(("log_in", "door"), [(by_api, "api"), (by_form, "admin")])
    def test_has_the_log_ins_of_staff(self, log_in: Callable[[str, str], Any], door: str) -> None:
        staff = make_staff()
        log_in(staff.username, "wrong")
        log_in(staff.username, "staff-password")
        entries = AuditEntry.objects.filter(action__startswith="log_in").order_by("pk")
        assert [entry.action for entry in entries] == ["log_in_failed", "log_in"]
        assert {entry.actor for entry in entries} == {f"staff:{staff.username}"}
        assert {(entry.user_id, entry.detail["door"], entry.detail["address"]) for entry in entries} == {
            (staff.pk, door, "127.0.0.1")
        }

    def test_has_none_of_merchants_and_strangers(self) -> None:
        by_api(make_merchant().user.username, "p")
        by_api("nobody", "p")
        assert not AuditEntry.objects.filter(action__startswith="log_in").exists()
