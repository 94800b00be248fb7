"""Lists of the staff console: quick in large tables, and as files."""

import csv
import io
import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from payments import formats
from payments.api_keys.services import api_key_create
from payments.audit.services import Actor
from payments.console.read_only import ReadOnlyAdmin
from payments.models import PoolTopUp
from payments.request_log.writer import writer
from payments.staff.groups import APPROVER, AUDITOR
from payments.tests.console import SOME_ID, console_of, do, page
from payments.tests.factories import fund_pool, make_merchant, make_staff, merchant_client, withdraw

pytestmark = pytest.mark.usefixtures("books")


class TestAListOfMany:
    """Tables grow to a hundred million rows; the database ends a statement of more than some seconds."""

    def test_counts_and_lists_no_more_than_it_says(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client = console_of(make_staff(None, AUDITOR))
        for _ in range(3):
            fund_pool()
        url = reverse("admin:payments_pooltopup_changelist")
        assert "search or filter" not in client.get(url).content.decode()
        monkeypatch.setattr("payments.console.lists.MOST_LISTED", 2)
        shown = client.get(url).content.decode()
        assert "Only 2 rows are listed" in shown
        assert "2 top-ups" in shown
        assert "_facets" not in shown

    @pytest.mark.parametrize(
        ("model", "term"),
        [
            ("webhookdelivery", f"wd_{SOME_ID}_settled"),
            ("webhookdelivery", SOME_ID),
            ("bankstatementline", "b-1"),
            ("apirequestlog", "7"),
        ],
    )
    def test_reads_no_table_whole_for_what_is_looked_for(self, model: str, term: str) -> None:
        searched = apps.get_model("payments", model)
        found = admin.site.get_model_admin(searched).get_search_results(
            RequestFactory().get("/"), searched.objects.order_by(), term
        )[0]
        with transaction.atomic(), connection.cursor() as cursor:
            # the tables of a test are small enough to be read whole
            cursor.execute("SET LOCAL enable_seqscan = off")
            assert f"Seq Scan on {searched._meta.db_table}" not in found.explain()

    def test_of_requests_has_a_merchants_latest_and_any_by_its_id(self, monkeypatch: pytest.MonkeyPatch) -> None:
        merchant = make_merchant()
        client = merchant_client(merchant)
        for number in range(3):
            client.get("/api/v1/me", HTTP_X_REQUEST_ID=f"asked-{number}")
        assert writer().flush()
        auditor, url = console_of(make_staff(None, AUDITOR)), reverse("admin:payments_apirequestlog_changelist")

        def found(term: object) -> list[str]:
            return sorted(set(re.findall("asked-[0-9]", auditor.get(url, {"q": f"{term}"}).content.decode())))

        assert found(merchant.pk) == ["asked-0", "asked-1", "asked-2"]
        monkeypatch.setattr("payments.console.records.MOST_SEARCHED", 2)
        assert found(merchant.pk) == ["asked-1", "asked-2"]
        assert found("asked-0") == ["asked-0"]

    def test_is_searched_by_all_words_of_what_has_no_index(self) -> None:
        staff = make_staff()
        client, url = console_of(User.objects.create_superuser("root-who-looks")), reverse("admin:auth_user_changelist")
        first, last = staff.username[:3], staff.username[3:]
        assert staff.username in client.get(url, {"q": f"{last} {first}"}).content.decode()
        assert staff.username not in client.get(url, {"q": f"{first} nobody"}).content.decode()

    @pytest.mark.parametrize(("model", "search"), [("withdrawal", "id"), ("withdrawal", "merchant"), ("apikey", "id")])
    def test_is_searched_by_an_index(self, model: str, search: str) -> None:
        merchant = make_merchant()
        fund_pool()
        withdrawal = withdraw(merchant_client(merchant)).json()["id"]
        with transaction.atomic():
            by = Actor(merchant.user_id, "merchant:shop")
            key, _ = api_key_create(merchant_id=merchant.pk, name="shop", scopes=["withdrawals:read"], by=by)
        row = {"withdrawal": withdrawal, "apikey": key.pk}[model]
        term = row if search == "id" else str(merchant.pk)
        client = console_of(make_staff(None, AUDITOR))
        url = reverse(f"admin:payments_{model}_changelist")
        with CaptureQueriesContext(connection) as asked:
            assert page(model, row) in client.get(url, {"q": f" {term} "}).content.decode()
        assert not [each for each in asked.captured_queries if "UPPER" in each["sql"] or "LIKE" in each["sql"]]
        assert page(model, row) not in client.get(url, {"q": "no such thing"}).content.decode()

    def test_is_found_by_what_was_copied_from_a_persian_page(self) -> None:
        fund_pool()
        made = withdraw(merchant_client(make_merchant())).json()["id"]
        client, url = console_of(make_staff(None, AUDITOR)), reverse("admin:payments_withdrawal_changelist")
        with translation.override("fa"):
            copied = formats.code(made)
        assert copied != made
        assert page("withdrawal", made) in client.get(url, {"q": copied}).content.decode()

    def test_of_the_audit_is_searched_by_actor_and_action_among_the_last(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client, url = console_of(make_staff(None, AUDITOR)), reverse("admin:payments_auditentry_changelist")
        merchants = [make_merchant() for _ in range(3)]
        for merchant in merchants:
            do(console_of(make_staff(None, APPROVER)), "merchant", merchant, "suspend", reason=f"reason {merchant.pk}")

        def found(term: str) -> list[int]:
            shown = client.get(url, {"q": term}).content.decode()
            return [each.pk for each in merchants if f"reason {each.pk}&quot;" in shown]

        assert found("merchant_suspended") == [each.pk for each in merchants]
        monkeypatch.setattr("payments.console.records.MOST_SEARCHED", 1)
        assert found("merchant_suspended") == [merchants[-1].pk]
        assert found(str(merchants[0].pk)) == [merchants[0].pk]

    def test_of_what_cannot_be_asked_is_the_whole_list(self) -> None:
        client = console_of(make_staff(None, AUDITOR))
        for page_ in ("changelist", "export"):
            assert client.get(f"{reverse(f'admin:payments_withdrawal_{page_}')}?merchant=x").status_code == 302

    def test_that_takes_too_long_is_told_and_not_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client = console_of(make_staff(None, AUDITOR))
        fund_pool()
        url = reverse("admin:payments_pooltopup_changelist")
        slow = PoolTopUp.objects.extra(where=["pg_sleep(5) IS NOT NULL"]).order_by("-id")
        monkeypatch.setattr(ReadOnlyAdmin, "get_search_results", lambda *_: (slow, False))
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '50ms'")
        try:
            answers = [client.get(each, {"q": "1"}) for each in (url, reverse("admin:payments_pooltopup_export"))]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")
        assert [(each.status_code, each.headers["Location"]) for each in answers] == [(302, url)] * 2
        monkeypatch.undo()
        assert "took too long" in client.get(url).content.decode()


class TestAnExport:
    def test_has_the_rows_under_the_filter_and_no_formula(self) -> None:
        merchants = [make_merchant(username="=1+1"), make_merchant(approved=False)]
        client = console_of(make_staff(None, AUDITOR))
        url = reverse("admin:payments_merchant_export")
        lines = list(csv.DictReader(io.StringIO(client.get(f"{url}?state__exact=approved").getvalue().decode())))
        assert [(line["id"], line["user__username"]) for line in lines] == [(str(merchants[0].pk), "'=1+1")]
        assert len(client.get(url).getvalue().decode().splitlines()) == 3
        assert console_of(User.objects.create_user("y", is_staff=True)).get(url).status_code == 403

    @pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
    def test_of_any_list_is_of_its_fields_and_no_secrets(self, model: Any) -> None:
        exported = admin.site.get_model_admin(model)._exported()
        assert all(get_fields_from_path(model, name) for name in exported)
        assert not [name for name in exported if re.search("secret|digest|hash|password|encrypted", name)]

    def test_of_more_than_a_file_may_have_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("payments.console.export.MOST_ROWS", 2)
        client = console_of(make_staff(None, AUDITOR))
        url = reverse("admin:payments_merchant_export")
        for _ in range(2):
            make_merchant(approved=False)
        assert client.get(url).status_code == 200
        make_merchant(approved=False)
        shown = client.get(f"{url}?state__exact=pending", follow=True)
        assert shown.redirect_chain[0][0].endswith("?state__exact=pending")
        assert "filter or search first" in shown.content.decode()

    def test_comes_in_pages_that_lose_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("payments.console.export.PAGE_ROWS", 2)
        expected = sorted(make_merchant(approved=False).pk for _ in range(5))
        lines = console_of(make_staff(None, AUDITOR)).get(reverse("admin:payments_merchant_export")).getvalue().decode()
        assert [int(line["id"]) for line in csv.DictReader(io.StringIO(lines))] == expected
