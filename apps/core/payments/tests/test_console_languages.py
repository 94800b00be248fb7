"""The staff console in two languages."""

import html
import re
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.urls import reverse
from django.utils import translation

from core.environment import ENVIRONMENT
from payments import formats
from payments.console.read_only import ReadOnlyAdmin
from payments.models import ApiRequestLog, AuditEntry, ManagedMerchant, PoolTopUp, Withdrawal
from payments.staff.groups import APPROVER, AUDITOR, TREASURER
from payments.tests.console import SOME_ID, console_of, do, page
from payments.tests.factories import client_of, fund_pool, make_merchant, make_staff, merchant_client, withdraw

pytestmark = pytest.mark.usefixtures("books")

PERSIAN = re.compile("[\u0600-\u06ff]")
GLOSSARY = Path(__file__).parents[4] / "docs" / "glossary.md"
TEHRAN = "Asia/Tehran"


class TestLanguages:
    def test_are_switched_and_stay(self) -> None:
        client = console_of(make_staff())
        assert 'lang="en" dir="ltr"' in client.get("/admin/").content.decode()
        assert client.post(reverse("set_language"), {"language": "fa", "next": "/admin/"}).status_code == 302
        shown = client.get("/admin/").content.decode()
        assert 'lang="fa" dir="rtl"' in shown
        assert "موجود در صندوق" in shown

    def test_change_nothing_that_the_api_says(self) -> None:
        api, client = client_of(make_staff()), console_of(make_staff())

        def refused(language: str) -> Any:
            headers = {"Accept-Language": language}
            return api.post("/api/v1/admin/approve", {}, format="json", headers=headers).json()

        english = refused("en")
        # the same thread made a page in Persian just before
        assert 'lang="fa"' in client.get("/admin/", headers={"Accept-Language": "fa"}).content.decode()
        assert refused("fa") == english

    @pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
    def test_have_a_word_for_every_column_and_choice(self, model: Any) -> None:
        """The words of code and templates are looked at by `make generate`; these are made of the models."""
        request = RequestFactory().get("/")
        request.user = User(is_superuser=True, is_active=True, is_staff=True)
        registered = admin.site._registry[model]
        with translation.override("fa"):
            names = {*registered.get_list_display(request), *registered.get_fields(request)}
            words = [str(label_for_field(name, model, registered)) for name in names]
            words += [str(model._meta.verbose_name), str(model._meta.verbose_name_plural)]
            for field in model._meta.concrete_fields:
                words += [translation.gettext(str(label)) for _, label in field.choices or []]
        assert [word for word in words if not PERSIAN.search(word)] == []

    @pytest.mark.parametrize("model", ["merchant", "withdrawal", "ledgerentry", "approvalrequest"])
    def test_have_a_word_for_every_choice_of_a_filter(self, model: str) -> None:
        client = console_of(make_staff(None, AUDITOR))
        url = reverse(f"admin:payments_{model}_changelist")
        filters = client.get(url, headers={"Accept-Language": "fa"}).content.decode().split('id="changelist-filter"')[1]
        choices = re.findall(r"<a href=[^>]*>([^<]+)</a>", filters.split("</nav>")[0])
        assert len(choices) > 3
        assert [choice for choice in choices if not PERSIAN.search(choice)] == []

    def test_write_numbers_and_days_of_lists_their_way(self) -> None:
        fund_pool()
        client = console_of(make_staff(None, AUDITOR))
        merchant = make_merchant()
        withdraw(merchant_client(merchant))
        persian = {"Accept-Language": "fa"}
        shown = client.get(reverse("admin:payments_ledgerentry_changelist"), headers=persian).content.decode()
        with translation.override("fa"):
            assert f">{formats.identifier(merchant.pk)}<" in shown
        assert re.findall(r'<td class="field-[a-z_]+">([0-9]+)</td>', shown) == []

    def test_say_what_the_glossary_says(self) -> None:
        rows = re.findall(
            r"^\| ([^(|]+?)(?: \([^|]*)? \| ([^(|]+?)(?: \([^|]*)? \|", GLOSSARY.read_text(), re.MULTILINE
        )
        with translation.override("fa"):
            said = {english: translation.gettext(english) for english, _ in rows}
        known = [(english, persian, said[english]) for english, persian in rows[1:] if said[english] != english]
        assert len(known) > 10
        assert [each for each in known if each[1] != each[2]] == []

    def test_name_rows_their_way(self) -> None:
        """What a page is called, and how a row is named where another one names it."""
        top_up = PoolTopUp(pk=1234)
        withdrawal = Withdrawal(pk=uuid.UUID(SOME_ID), state="settled")
        assert (str(top_up), str(withdrawal)) == ("top-up 1234", f"withdrawal {SOME_ID} (Settled)")
        unnamed = []
        with translation.override("fa"):
            assert str(top_up) == "شارژ ۱۲۳۴"
            assert str(withdrawal) == f"برداشت \u2066{SOME_ID}\u2069 (تسویه‌شده)"
            for model in admin.site._registry:
                # programs' and people's own names, and paths, are what they are
                if model not in {User, AuditEntry, ManagedMerchant, ApiRequestLog}:
                    named = re.sub("\u2066[^\u2069]+\u2069", "", str(model(pk=7)))
                    unnamed += [named] if not PERSIAN.search(named) or re.search("[0-9]", named) else []
        assert unnamed == []

    def test_have_their_digits_under_a_list_and_in_what_is_wrong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ReadOnlyAdmin, "list_per_page", 1)
        for _ in range(2):
            fund_pool()
        treasurer, persian = console_of(make_staff(None, TREASURER)), {"Accept-Language": "fa"}
        shown = treasurer.get(reverse("admin:payments_pooltopup_changelist"), {"p": "2"}, headers=persian)
        under = shown.content.decode().split('class="paginator">')[1].split("</p>")[0]
        assert re.sub("<[^>]+>", "", under).split() == ["۱", "۲", "۲", "شارژها", "نمایش", "همه"]
        merchant, approver = make_merchant(), console_of(make_staff(None, APPROVER))
        answer = approver.post(
            page("merchant", merchant, "suspend"), {"key": "k", "reason": "x" * 501}, headers=persian
        )
        assert "۵۰۰" in answer.content.decode()

    def test_say_what_a_problem_is_and_that_a_page_is_not_theirs(self) -> None:
        merchant, persian = make_merchant(), {"Accept-Language": "fa"}
        client = console_of(make_staff(None, APPROVER))
        refused = do(client, "merchant", merchant, "reinstate").content.decode()
        assert "The merchant's state does not allow this" in html.unescape(refused)
        client.cookies["django_language"] = "fa"
        assert "وضعیت پذیرنده این کار را مجاز نمی‌کند" in do(client, "merchant", merchant, "reinstate").content.decode()
        answers = [client.get(url, headers=persian) for url in ("/admin/auth/user/", page("merchant", 0, "suspend"))]
        assert [answer.status_code for answer in answers] == [403, 404]
        assert all(answer.headers["Content-Type"].startswith("text/html") for answer in answers)
        assert ['dir="rtl"' in (text := each.content.decode()) and bool(PERSIAN.search(text)) for each in answers] == [
            True,
            True,
        ]

    def test_have_a_word_for_every_choice_in_a_panel(self) -> None:
        fund_pool()
        merchant = make_merchant()
        withdraw(merchant_client(merchant))
        client = console_of(make_staff(None, AUDITOR))
        shown = client.get(page("merchant", merchant), headers={"Accept-Language": "fa"}).content.decode()
        assert "رزرو" in shown
        assert re.findall(r"<td>([A-Z][a-z ]+)</td>", shown) == []

    def test_say_nothing_of_what_is_not_there(self) -> None:
        fund_pool()
        merchant = make_merchant()
        withdraw(merchant_client(merchant), Prefer="respond-async")
        client = console_of(make_staff(None, AUDITOR))
        pages = [page("withdrawal", Withdrawal.objects.get()), page("merchant", merchant)]
        pages += [reverse(f"admin:payments_{model}_changelist") for model in ("withdrawal", "auditentry", "pooltopup")]
        assert [url for url in pages if re.search(r">\s*None\s*<", client.get(url).content.decode())] == []

    def test_write_times_at_the_end_of_any_calendar(self, monkeypatch: pytest.MonkeyPatch) -> None:
        last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
        monkeypatch.setattr(formats, "ENVIRONMENT", ENVIRONMENT.model_copy(update={"calendar_time_zone": TEHRAN}))
        assert formats.moment(last) == "9999-12-31 23:59:59 UTC"
        with translation.override("fa"):
            assert formats.moment(last) == "۹۹۹۹-۱۲-۳۱ ۲۳:۵۹:۵۹ UTC"

    def test_write_money_and_time_their_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        noon = datetime(2026, 3, 21, 12, 0, tzinfo=UTC)
        assert (formats.money(Decimal("-1234567.5")), formats.moment(noon)) == (
            "-1,234,567.50",
            "2026-03-21 12:00:00 UTC",
        )
        with translation.override("fa"):
            assert formats.money(Decimal("1234567.5")) == "۱٬۲۳۴٬۵۶۷٫۵۰"
            assert formats.moment(noon) == "۱۴۰۵/۰۱/۰۱ ۱۲:۰۰:۰۰ UTC"
            assert formats.number(1234) == "۱٬۲۳۴"
            monkeypatch.setattr(formats, "ENVIRONMENT", ENVIRONMENT.model_copy(update={"calendar_time_zone": TEHRAN}))
            # a sign is before its number where everything else goes from right to left
            assert formats.moment(noon) == "۱۴۰۵/۰۱/۰۱ ۱۵:۳۰:۰۰ \u200e+۰۳۳۰"
        assert formats.latin_digits("۱٬۲۳۴٫۵") == "1,234.5"
