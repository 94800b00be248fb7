"""What every page of the staff console has: nothing from elsewhere, no dead link, a session under a digest."""

import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urljoin

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.urls import reverse

from core.environment import ENVIRONMENT
from payments.api_keys.services import api_key_create
from payments.audit.services import Actor
from payments.console.charts import outcomes_chart
from payments.staff.groups import APPROVER, AUDITOR, GROUPS, VIEWER
from payments.tests.console import console_of, do, drawn, first_page, page
from payments.tests.factories import fund_pool, make_merchant, make_staff, merchant_client, withdraw
from payments.tests.forgery import forge
from payments.webhooks.endpoints import endpoint_create, secrets_of, send_test

pytestmark = pytest.mark.usefixtures("books")


class TestEveryPage:
    def test_opens_for_who_may_view_it_and_for_nobody_else(self) -> None:
        merchant = make_merchant()
        fund_pool()
        withdraw(merchant_client(merchant))
        auditor, nobody = (
            console_of(make_staff(None, AUDITOR)),
            console_of(User.objects.create_user("x", is_staff=True)),
        )
        for model in admin.site._registry:
            if model is User:
                continue
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            urls = [reverse(f"{name}_changelist"), f"{reverse(f'{name}_changelist')}?q=1", reverse(f"{name}_export")]
            first = model._default_manager.first()
            urls += [reverse(f"{name}_change", args=[first.pk])] if first else []
            for url in urls:
                assert auditor.get(url).status_code in {200, 302}, url
                assert nobody.get(url).status_code == 403, url

    @pytest.mark.parametrize("group", [None, *GROUPS])
    def test_leads_nowhere_that_is_not_there_or_not_to_be_seen(
        self, group: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No dead links: every one of the console's pages, and the pages that they lead to."""
        limited = ENVIRONMENT.model_copy(update={"credit_limit_approval_threshold": Decimal("500.00")})
        monkeypatch.setattr("payments.approvals.services.ENVIRONMENT", limited)
        merchant = make_merchant()
        fund_pool()
        withdraw(merchant_client(merchant))
        approver = console_of(make_staff(None, APPROVER))
        assert do(approver, "merchant", merchant, "limit", credit_limit="9000").status_code == 302
        root = User.objects.create_superuser("root-who-clicks", password="p")
        client = console_of(make_staff(None, group) if group else root)
        seen, ahead = {"/admin/logout/"}, ["/admin/"]
        while ahead:
            path = ahead.pop()
            answer = client.get(path)
            assert answer.status_code in {200, 302}, path
            if answer.status_code == 200 and not answer.streaming:
                found = re.findall(r'href="([^"#]+)"', answer.content.decode())
                linked = {html.unescape(urljoin(path, each)) for each in found if not each.startswith("/static/")}
                # each column sorts and each choice filters in the same way, whoever looks: one of a list is enough
                most = 1 if group is None else 0
                new = {each for each in linked if each.startswith("/admin/") and each.count("=") <= most} - seen
                seen |= new
                ahead += sorted(new)
        assert len(seen) > 10

    def test_shows_what_programs_have_and_no_secret_of_theirs(self) -> None:
        merchant = make_merchant()
        by = Actor(merchant.user_id, "merchant:shop")
        with transaction.atomic():
            key, shown = api_key_create(merchant_id=merchant.pk, name="shop", scopes=["withdrawals:read"], by=by)
            endpoint = endpoint_create(merchant_id=merchant.pk, url="https://shop.example/hook")
        delivery = send_test(merchant_id=merchant.pk, endpoint_id=endpoint.pk)
        client = console_of(make_staff(None, AUDITOR))
        pages = [
            client.get(url).content.decode()
            for row, model in ((key, "apikey"), (endpoint, "webhookendpoint"), (delivery, "webhookdelivery"))
            for url in (page(model, row), reverse(f"admin:payments_{model}_changelist"))
        ]
        assert all("shop" in each for each in pages[:4])
        assert delivery.event_id in pages[4]
        for secret in (key.digest, shown, endpoint.secret, *secrets_of(endpoint)):
            assert not [each for each in pages if secret in each]

    @pytest.mark.parametrize(
        ("model", "asked"),
        [
            ("webhookendpoint", "secret__startswith=v"),
            ("managedmerchant", "password_hash__startswith=a"),
            ("apikey", "digest__startswith=a"),
            ("apikey", "merchant__user__password__startswith=a"),
            ("merchant", "account_encrypted__regex=(a*)*b"),
            ("merchant", "state__regex=(a*)*b"),
        ],
    )
    def test_answers_no_guesses_of_what_it_does_not_show(self, model: str, asked: str) -> None:
        client = console_of(User.objects.create_superuser("root-who-guesses", password="p"))
        for page_ in ("changelist", "export"):
            assert client.get(f"{reverse(f'admin:payments_{model}_{page_}')}?{asked}").status_code == 400

    def test_changes_nothing_by_django_s_own_forms(self) -> None:
        merchant = make_merchant()
        root = console_of(User.objects.create_superuser("root-of-console", password="p"))
        assert root.post(page("merchant", merchant), {"state": "closed"}).status_code == 403
        assert root.post(page("merchant", merchant, "delete")).status_code == 403
        assert root.get(reverse("admin:payments_merchant_add")).status_code == 403


class TestTheFirstPage:
    def test_draws_how_the_last_withdrawals_ended(self) -> None:
        """Each is in one slice of the time between the oldest and the newest, however few or many there are."""
        assert outcomes_chart() is None
        fund_pool()
        client = merchant_client(make_merchant())
        ids = [withdraw(client).json()["id"] for _ in range(4)]
        midnight = datetime(2026, 3, 21, tzinfo=UTC)
        ended = [(0, "settled"), (3, "failed"), (11, "settled"), (12, "pending")]
        for each, (minute, state) in zip(ids, ended, strict=True):
            final, due = ("NULL", "now()") if state == "pending" else ("now()", "NULL")
            forge(
                f"UPDATE payments_withdrawal SET created_at = '{midnight + timedelta(minutes=minute)}',"
                f" state = '{state}', finalized_at = {final}, next_attempt_at = {due} WHERE id = '{each}'"
            )

        chart = outcomes_chart(slices=4)
        assert chart is not None
        assert chart.moments == [f"2026-03-21 00:{minute:02}:00" for minute in (0, 3, 6, 9)]
        assert drawn(chart) == {
            "settled": ["1", "0", "0", "1"],
            "pending": ["0", "0", "0", "1"],
            "failed": ["0", "1", "0", "0"],
        }
        assert chart.summary == "2 settled, 1 pending, 1 failed"
        assert drawn(outcomes_chart(recent=1)) == {"settled": ["0"], "pending": ["1"], "failed": ["0"]}

    def test_draws_what_one_may_view_only(self) -> None:
        fund_pool()
        withdraw(merchant_client(make_merchant()))
        assert [each in first_page(make_staff(None, VIEWER)) for each in ("outcomes-points", "balance-points")] == [
            True,
            True,
        ]
        nobody = first_page(User.objects.create_user("z", is_staff=True))
        assert "-points" not in nobody
        assert "chart-" not in nobody


class TestASession:
    def test_is_in_the_table_under_a_digest(self) -> None:
        user = make_staff()
        client = Client()
        assert (
            client.post("/admin/login/", {"username": user.username, "password": "staff-password"}).status_code == 302
        )
        cookie = client.cookies["sessionid"].value
        [row] = Session.objects.all()
        assert cookie != row.session_key
        assert client.get("/admin/").status_code == 200
        thief = Client()
        thief.cookies["sessionid"] = row.session_key
        assert thief.get("/admin/").status_code == 302
        client.post("/admin/logout/")
        assert not Session.objects.exists()
