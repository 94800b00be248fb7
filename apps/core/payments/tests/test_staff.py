"""Accounts of staff: nobody makes or changes one where limits are approved, and each change is in the audit."""

from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from core.environment import ENVIRONMENT
from payments.approvals import services
from payments.models import AuditEntry, Merchant, MerchantCredit
from payments.tests.factories import client_of, make_groups, make_merchant, make_staff, staff_client, unique_name

pytestmark = pytest.mark.usefixtures("books")

STRONG = "a-password-of-24-letters"
PUPPET = {"username": "puppet", "password1": STRONG, "password2": STRONG, "usable_password": "true"}


def make_superuser() -> User:
    return User.objects.create_superuser(unique_name("root"), password=STRONG)


def admin_of(user: User) -> Client:
    """Signed in to the admin."""
    made = Client()
    assert made.login(username=user.get_username(), password=STRONG)
    return made


def audited(username: str) -> list[tuple[str, bool, bool, bool]]:
    """What of an account is in the audit: action, whether it was active and staff, whether its password changed."""
    entries = AuditEntry.objects.filter(detail__username=username).order_by("pk")
    members = ("is_active", "is_staff", "password_changed")
    return [(each.action, *(each.detail[name] for name in members)) for each in entries]


class TestTheAdmin:
    @pytest.fixture
    def root(self) -> Client:
        return admin_of(make_superuser())

    @pytest.mark.parametrize("path", ["user", "group"])
    def test_makes_no_account_and_no_group(self, root: Client, path: str) -> None:
        answer = root.post(f"/admin/auth/{path}/add/", {**PUPPET, "name": "puppets"})
        assert answer.status_code in {403, 404}
        assert not User.objects.filter(username="puppet").exists()

    def test_changes_no_account(self, root: Client) -> None:
        merchant = make_merchant().user
        fields = {"username": merchant.username, "is_staff": "on", "is_superuser": "on", "is_active": "on"}
        assert root.post(f"/admin/auth/user/{merchant.pk}/change/", fields).status_code == 403
        merchant.refresh_from_db()
        assert not merchant.is_staff

    def test_sets_nobody_elses_password(self, root: Client) -> None:
        staff = make_staff()
        answer = root.post(f"/admin/auth/user/{staff.pk}/password/", PUPPET)
        assert answer.status_code != 200
        staff.refresh_from_db()
        assert staff.check_password("staff-password")

    def test_deletes_no_account(self, root: Client) -> None:
        staff = make_staff()
        assert root.post(f"/admin/auth/user/{staff.pk}/delete/", {"post": "yes"}).status_code == 403
        answer = root.post(
            "/admin/auth/user/", {"action": "delete_selected", "_selected_action": staff.pk, "post": "y"}
        )
        assert answer.status_code != 500
        assert User.objects.filter(pk=staff.pk).exists()

    def test_shows_accounts_without_their_passwords(self, root: Client) -> None:
        staff = make_staff()
        assert staff.username in root.get("/admin/auth/user/").content.decode()
        shown = root.get(f"/admin/auth/user/{staff.pk}/change/")
        assert shown.status_code == 200
        assert staff.password not in shown.content.decode()
        assert "password" not in shown.context["adminform"].form.fields


class TestOnePersonAlone:
    @pytest.fixture(autouse=True)
    def threshold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        limited = ENVIRONMENT.model_copy(update={"credit_limit_approval_threshold": Decimal("500.00")})
        monkeypatch.setattr(services, "ENVIRONMENT", limited)

    @staticmethod
    def ask(staff: APIClient, merchant: Merchant) -> Any:
        limit = {"merchant_id": merchant.pk, "credit_limit": "9000.00"}
        return staff.post("/api/v1/admin/credit-limit", limit, format="json").json()["approval_request"]["approval_id"]

    def test_is_no_second_one_by_an_account_that_was_made_since(self) -> None:
        user, merchant = make_superuser(), make_merchant()
        asked = self.ask(client_of(user), merchant)
        admin_of(user).post("/admin/auth/user/add/", PUPPET)
        assert not User.objects.filter(username="puppet").exists()
        # by whatever way it came to be
        puppet = client_of(make_staff("puppet"))
        for act in ("approve", "refuse"):
            answer = puppet.post(f"/api/v1/admin/approvals/{act}", {"approval_id": asked}, format="json")
            assert (answer.status_code, answer.json()["code"]) == (409, "second_person_needed")
        assert MerchantCredit.objects.get(merchant=merchant).credit_limit == Decimal("100.00")

    def test_is_asked_anew_for_somebody_who_is_new(self) -> None:
        merchant, first = make_merchant(), staff_client()
        new = staff_client()
        answer = new.post("/api/v1/admin/approvals/approve", {"approval_id": self.ask(first, merchant)}, format="json")
        assert answer.status_code == 200


class TestTheCommand:
    def test_makes_a_member_of_staff_who_is_no_superuser(self) -> None:
        make_groups()
        said = StringIO()
        call_command("staff", "add", "nasrin", stdout=said)
        user = User.objects.get(username="nasrin")
        assert (user.is_active, user.is_staff, user.is_superuser) == (True, True, False)
        assert user.check_password(said.getvalue().split()[-1])
        assert audited("nasrin") == [("staff_made", True, True, False)]

    def test_stops_one_and_spends_its_refresh_tokens(self) -> None:
        staff = make_staff()
        sent = {"username": staff.username, "password": "staff-password"}
        refresh = APIClient().post("/api/v1/auth/token", sent, format="json").json()["refresh"]
        call_command("staff", "stop", staff.username, stdout=StringIO())
        assert APIClient().post("/api/v1/auth/token", sent, format="json").status_code == 401
        assert APIClient().post("/api/v1/auth/token/refresh", {"refresh": refresh}, format="json").status_code == 401
        assert audited(staff.username)[-1] == ("staff_changed", False, True, False)

    def test_is_not_for_names_that_are_taken_or_no_names(self) -> None:
        merchant = make_merchant()
        with pytest.raises(CommandError, match="is taken"):
            call_command("staff", "add", merchant.user.username)
        with pytest.raises(CommandError, match="Enter a valid username"):
            call_command("staff", "add", "a b")

    def test_stops_no_merchant(self) -> None:
        with pytest.raises(CommandError, match="there is no member of staff"):
            call_command("staff", "stop", make_merchant().user.username)


class TestTheAudit:
    def test_has_createsuperuser_too(self) -> None:
        call_command("createsuperuser", "--noinput", username="root", email="r@example.com", stdout=StringIO())
        assert audited("root") == [("staff_made", True, True, False)]

    def test_has_whoever_is_made_staff_or_gets_another_password(self) -> None:
        user = make_merchant().user
        user.is_staff = True
        user.save()
        user.set_password("another")
        user.save()
        assert audited(user.username) == [("staff_changed", True, True, False), ("staff_changed", True, True, True)]

    def test_has_no_secret_and_no_sign_in(self) -> None:
        staff = make_staff()
        client = Client()
        assert client.login(username=staff.username, password="staff-password")
        assert audited(staff.username) == [("staff_made", True, True, False)]
        assert staff.password not in str(AuditEntry.objects.get(detail__username=staff.username).detail)

    def test_has_nothing_of_merchants(self) -> None:
        user = make_merchant().user
        user.set_password("another")
        user.save()
        assert audited(user.username) == []
