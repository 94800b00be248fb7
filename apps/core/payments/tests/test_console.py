"""The staff console: what each group sees and does, by the same services as the API, and in two languages."""

import csv
import html
import io
import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import get_fields_from_path, label_for_field
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from core.environment import ENVIRONMENT
from payments import formats
from payments.api_keys.services import api_key_create
from payments.audit.services import Actor
from payments.console.charts import Chart, balance_chart, outcomes_chart
from payments.console.read_only import ReadOnlyAdmin
from payments.models import (
    POOL_ID,
    ApiRequestLog,
    ApprovalRequest,
    AuditEntry,
    CreditPool,
    ManagedMerchant,
    Merchant,
    PoolTopUp,
    Withdrawal,
)
from payments.request_log.writer import writer
from payments.staff.groups import APPROVER, AUDITOR, GROUPS, TREASURER, VIEWER
from payments.tests.factories import (
    client_of,
    fund_pool,
    make_groups,
    make_merchant,
    make_staff,
    merchant_client,
    withdraw,
)
from payments.tests.forgery import forge
from payments.webhooks.endpoints import endpoint_create, secrets_of, send_test

pytestmark = pytest.mark.usefixtures("books")

PERSIAN = re.compile("[\u0600-\u06ff]")
GLOSSARY = Path(__file__).parents[4] / "docs" / "glossary.md"
TEHRAN = "Asia/Tehran"
SOME_ID = "01a2093c-92e9-72da-83ca-1b4493c714a2"


def console_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(model: str, row: Any, act: str = "change") -> str:
    return reverse(f"admin:payments_{model}_{act}", args=[getattr(row, "pk", row)])


def do(client: Client, model: str, row: Any, act: str, **fields: str) -> Any:
    """Opens the act's form, as a person does, and sends it."""
    url = page(model, row, act)
    form = client.get(url)
    if form.status_code != 200:
        return form
    return client.post(url, {**fields, "key": key_of(form)})


def key_of(form: Any) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', form.content.decode())
    assert found is not None
    return found[1]


def make_pool() -> CreditPool:
    fund_pool()
    return CreditPool.objects.get(pk=POOL_ID)


def unknown_withdrawal(merchant: Merchant) -> Withdrawal:
    """One of the merchant's whose outcome nobody knows."""
    fund_pool()
    made = withdraw(merchant_client(merchant), Prefer="respond-async").json()["id"]
    Withdrawal.objects.filter(pk=made).update(overdue_since="2026-01-01T00:00:00Z")
    return Withdrawal.objects.get(pk=made)


def first_page(user: User) -> str:
    return console_of(user).get("/admin/").content.decode()


def drawn(chart: Chart | None) -> dict[str, list[str]]:
    assert chart is not None
    return {each.of: each.values for each in chart.series}


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


class TestGroups:
    def test_are_in_the_database_as_the_table_says(self) -> None:
        make_groups()
        found = {group.name: set(group.permissions.values_list("codename", flat=True)) for group in Group.objects.all()}
        assert found == {name: set(codenames) for name, codenames in GROUPS.items()}
        assert set(
            Permission.objects.filter(codename__startswith="view_", content_type__app_label="payments").values_list(
                "codename", flat=True
            )
        ) >= {name for names in GROUPS.values() for name in names if name.startswith("view_")}

    @pytest.mark.parametrize(
        ("model", "act", "fields", "may"),
        [
            ("merchant", "approve", {"credit_limit": "50"}, {APPROVER}),
            ("merchant", "refuse", {}, {APPROVER}),
            ("creditpool", "top-up", {"amount": "5"}, {TREASURER}),
            ("creditpool", "adjust", {"amount": "-5", "reason": "counted"}, {APPROVER, TREASURER}),
        ],
    )
    @pytest.mark.parametrize("group", GROUPS)
    def test_do_what_they_may_and_nothing_else(
        self, group: str, model: str, act: str, fields: dict[str, str], may: set[str]
    ) -> None:
        merchant = make_merchant(approved=False)
        fund_pool()
        client = console_of(make_staff(None, group))
        row = merchant if model == "merchant" else POOL_ID
        shown = client.get(page(model, row)).content.decode()
        assert (page(model, row, act) in shown) == (group in may)
        assert do(client, model, row, act, **fields).status_code == (302 if group in may else 403)

    @pytest.mark.parametrize("group", GROUPS)
    def test_hold_for_the_api_as_well(self, group: str) -> None:
        merchant = make_merchant(approved=False)
        api = client_of(make_staff(None, group))
        approve = {"merchant_id": merchant.pk, "credit_limit": "5.00"}
        answers = {
            "approve": api.post("/api/v1/admin/approve", approve, format="json").status_code,
            "top up": api.post("/api/v1/admin/pool/topup", {"amount": "1.00"}, format="json").status_code,
            "adjust": api.post(
                "/api/v1/admin/pool/adjustments", {"amount": "1.00", "reason": "r"}, format="json"
            ).status_code,
            "look": api.get("/api/v1/admin/pool").status_code,
        }
        both = {APPROVER, TREASURER}
        assert answers == {
            "approve": 200 if group == APPROVER else 403,
            "top up": 200 if group == TREASURER else 403,
            "adjust": 202 if group in both else 403,
            "look": 200,
        }

    def test_are_given_by_the_command_and_told_in_the_audit(self) -> None:
        make_groups()
        call_command("staff", "add", "vera", "--group", VIEWER, stdout=io.StringIO())
        vera = User.objects.get(username="vera")
        call_command("staff", "groups", "vera", "--group", AUDITOR, "--group", APPROVER, stdout=io.StringIO())
        assert set(vera.groups.values_list("name", flat=True)) == {AUDITOR, APPROVER}
        entries = AuditEntry.objects.filter(user_id=vera.pk, action__contains="group").order_by("pk")
        told = [(entry.action, entry.detail["group"]) for entry in entries]
        assert told[0] == ("staff_joined_group", VIEWER)
        assert ("staff_left_group", VIEWER) in told
        assert {name for action, name in told[1:] if action == "staff_joined_group"} == {AUDITOR, APPROVER}
        with pytest.raises(CommandError, match="invalid choice: 'king'"):
            call_command("staff", "add", "ken", "--group", "king")

    def test_see_on_pages_what_their_lists_would_show_and_no_more(self) -> None:
        merchant = make_merchant()
        funder = make_staff(None, TREASURER)
        assert do(console_of(funder), "creditpool", make_pool(), "top-up", amount="77.00").status_code == 302
        withdrawal = unknown_withdrawal(merchant)
        fields = {"outcome": "paid", "evidence": "seen on the statement", "bank_reference": "TX-1"}
        assert do(console_of(funder), "withdrawal", withdrawal, "outcome", **fields).status_code == 302
        viewer, auditor = (console_of(make_staff(None, group)) for group in (VIEWER, AUDITOR))
        for url, told in (
            (page("creditpool", POOL_ID), funder.username),
            (page("withdrawal", withdrawal), "seen on the statement"),
        ):
            shown = [told in client.get(url).content.decode() for client in (viewer, auditor)]
            assert shown == [False, True], url


class TestAMerchant:
    def test_is_approved_with_a_limit_in_persian_digits(self) -> None:
        merchant = make_merchant(approved=False)
        answer = do(console_of(make_staff()), "merchant", merchant, "approve", credit_limit="۱٬۲۵۰٫۵۰")
        assert answer.status_code == 302
        merchant.refresh_from_db()
        assert (merchant.state, str(merchant.credit.credit_limit)) == (Merchant.State.APPROVED, "1250.50")

    @pytest.mark.parametrize("typed", ["", "ten", "1.234", "-1", "1250,00", "1,50", "12,34,567", "۱۲۵۰٬۰۰"])
    def test_is_not_approved_with_what_is_no_amount(self, typed: str) -> None:
        merchant = make_merchant(approved=False)
        answer = do(console_of(make_staff()), "merchant", merchant, "approve", credit_limit=typed)
        assert answer.status_code == 200
        assert b"errorlist" in answer.content
        merchant.refresh_from_db()
        assert merchant.state == Merchant.State.PENDING

    def test_page_shows_what_it_has_and_did(self) -> None:
        merchant = make_merchant(limit="1000.00")
        fund_pool("5000.00")
        withdrawn = withdraw(merchant_client(merchant), "250.00").json()["id"]
        shown = console_of(make_staff(None, VIEWER)).get(page("merchant", merchant)).content.decode()
        for text in ("1,000.00", "250.00", "750.00", withdrawn, "IR*************0001"):
            assert text in shown, text
        assert "IRTEST0000000000001" not in shown


class TestATopUp:
    def test_that_is_sent_twice_is_made_once(self) -> None:
        fund_pool()
        client = console_of(make_staff(None, TREASURER))
        url = page("creditpool", POOL_ID, "top-up")
        fields = {"amount": "5.00", "key": key_of(client.get(url))}
        assert [client.post(url, fields).status_code for _ in range(2)] == [302, 302]
        assert PoolTopUp.objects.count() == 2

    def test_is_in_the_pools_history(self) -> None:
        assert balance_chart(CreditPool(pk=POOL_ID)) is None
        fund_pool("10.00")
        fund_pool("5.00")
        assert drawn(balance_chart(CreditPool.objects.get())) == {"balance": ["10.00", "15.00"]}
        assert drawn(balance_chart(CreditPool.objects.get(), points=1)) == {"balance": ["10.00"]}
        shown = console_of(make_staff(None, VIEWER)).get(page("creditpool", POOL_ID)).content.decode()
        assert "balance-points" in shown


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


class TestAWithdrawal:
    def test_shows_what_was_reserved_and_what_was_released(self) -> None:
        fund_pool()
        refused = make_merchant(account="IRTESTREFUSED0000001")
        withdraw(merchant_client(refused), "30.00")
        withdrawal = Withdrawal.objects.get()
        shown = console_of(make_staff(None, VIEWER)).get(page("withdrawal", withdrawal)).content.decode()
        assert [shown.count(f"<td>{kind}</td>") for kind in ("Reserve", "Release")] == [2, 2]

    def test_finds_its_entries_by_an_index(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # an empty table is read whole in no time
            cursor.execute("SET LOCAL enable_seqscan = off")
            assert "ledger_of_withdrawal" in Withdrawal(id=uuid.uuid4()).ledger_entries.all().explain()


class TestARefusal:
    def test_is_shown_and_what_is_sent_next_is_another_request(self) -> None:
        merchant = make_merchant()
        approver, other = (console_of(make_staff(None, APPROVER)) for _ in range(2))
        first = other.get(page("merchant", merchant, "suspend"))
        assert do(approver, "merchant", merchant, "suspend").status_code == 302
        late = other.post(page("merchant", merchant, "suspend"), {"key": key_of(first), "reason": ""})
        assert late.status_code == 409
        assert "the merchant is suspended" in late.content.decode()
        assert key_of(late) != key_of(first)


class TestTwoPeople:
    @pytest.fixture
    def asked(self) -> tuple[User, ApprovalRequest]:
        asker, withdrawal = make_staff(None, TREASURER), unknown_withdrawal(make_merchant())
        fields = {"outcome": "paid", "evidence": "seen on the statement", "bank_reference": "TX-1"}
        assert do(console_of(asker), "withdrawal", withdrawal, "outcome", **fields).status_code == 302
        return asker, ApprovalRequest.objects.get()

    def test_decide_an_outcome_and_one_does_not(self, asked: tuple[User, ApprovalRequest]) -> None:
        asker, request = asked
        alone = do(console_of(asker), "approvalrequest", request, "approve")
        assert alone.status_code == 409
        assert "Another person must decide" in alone.content.decode()
        assert do(console_of(self.older(request)), "approvalrequest", request, "approve").status_code == 302
        request.refresh_from_db()
        assert (request.state, str(request.decision.outcome)) == ("approved", "paid")

    @staticmethod
    def older(request: ApprovalRequest) -> User:
        other = make_staff(None, APPROVER)
        User.objects.filter(pk=other.pk).update(date_joined="2020-01-01T00:00:00Z")
        return other

    def test_see_the_evidence(self, asked: tuple[User, ApprovalRequest]) -> None:
        asker, request = asked
        shown = console_of(asker).get(page("approvalrequest", request)).content.decode()
        for text in ("seen on the statement", "TX-1", "You asked for this"):
            assert text in shown


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
