"""Statements: balances that add up, days as the installation has them, and files."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from core.environment import ENVIRONMENT, CoreEnvironment
from payments.account_statements import api, selectors
from payments.account_statements.selectors import Period
from payments.models import Merchant
from payments.tests.factories import fund_pool, make_merchant, merchant_client, staff_client, unique_name, withdraw
from payments.tests.forgery import forge
from payments.tests.test_statement_sheets import text_of

pytestmark = pytest.mark.usefixtures("books")

PATH = "/api/v1/statements"


@pytest.fixture
def merchant() -> Merchant:
    """On 10 January 60.00 is withdrawn, on the 20th, late in the evening, 20.00 repaid."""
    fund_pool()
    merchant = make_merchant(limit="100.00")
    assert withdraw(merchant_client(merchant), "60.00").status_code == 201
    paid_back = {"merchant_id": merchant.pk, "amount": "20.00", "reference": unique_name("bank-")}
    assert staff_client().post("/api/v1/admin/repayments", paid_back, format="json").status_code == 201
    days = {1: "2026-01-10 12:00Z", 2: "2026-01-20 23:30Z"}
    for number, at in days.items():
        forge(f"UPDATE payments_ledgerentry SET created_at = '{at}' WHERE account = 'merchant' AND number = {number}")
    return merchant


@pytest.fixture
def client(merchant: Merchant) -> APIClient:
    return merchant_client(merchant)


def of(client: APIClient, first: str, last: str, **query: str) -> Any:
    return client.get(PATH, {"period_from": first, "period_to": last, **query})


class TestAStatement:
    def test_adds_up_from_its_opening_to_its_closing(self, client: APIClient) -> None:
        found = of(client, "2026-01-01", "2026-01-15").json()
        assert (found["opening"]["used"], found["closing"]["used"], found["time_zone"]) == ("0.00", "60.00", "UTC")
        assert found["totals"] == [{"kind": "reserve", "count": 1, "amount": "60.00"}]
        after = of(client, "2026-01-16", "2026-01-31").json()
        assert (after["opening"]["used"], after["closing"]["used"]) == ("60.00", "40.00")
        assert [entry["kind"] for entry in after["entries"]] == ["repayment"]

    def test_of_quiet_days_is_a_file_with_its_balances(self, client: APIClient) -> None:
        answer = of(client, "2026-02-01", "2026-02-28", form="csv")
        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert [line.split(",")[2] for line in lines] == ["kind", "opening", "closing"]
        assert [line.rpartition(",")[2] for line in lines[1:]] == ["40.00", "40.00"]

    def test_of_a_month_is_that_of_its_days(self, client: APIClient) -> None:
        assert client.get(f"{PATH}/2026-01").json() == of(client, "2026-01-01", "2026-01-31").json()
        assert client.get(f"{PATH}/2026-02").json()["opening"]["used"] == "40.00"
        none = ("2026-13", "2026-0", "1999-01", "99999-01", f"2026-{2**70}")
        assert {client.get(f"{PATH}/{month}").status_code for month in none} == {404}

    def test_shows_the_limits_that_were_set(self, merchant: Merchant, client: APIClient) -> None:
        staff, today = staff_client(), datetime.now(UTC).date().isoformat()
        body = {"merchant_id": merchant.pk, "credit_limit": "70.00"}
        assert staff.post("/api/v1/admin/credit-limit", body, format="json").status_code == 200
        found = of(client, today, today).json()
        assert [each["credit_limit"] for each in found["limits"]] == ["100.00", "70.00"]
        assert (found["opening"]["credit_limit"], found["closing"]["credit_limit"]) == (None, "70.00")

    def test_has_days_as_the_installation_has_them(self, client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        tehran = ENVIRONMENT.model_copy(update={"calendar_time_zone": "Asia/Tehran"})
        monkeypatch.setattr(selectors, "ENVIRONMENT", tehran)
        # half past eleven in the evening in Greenwich is the next day there
        found = of(client, "2026-01-21", "2026-01-21").json()
        assert (found["time_zone"], [entry["kind"] for entry in found["entries"]]) == ("Asia/Tehran", ["repayment"])

    def test_is_a_file_as_well(self, merchant: Merchant, client: APIClient) -> None:
        answer = of(client, "2026-01-01", "2026-12-31", form="csv")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        assert f"statement-{merchant.pk}-2026-01-01-2026-12-31.csv" in answer["Content-Disposition"]
        rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
        assert [(row["kind"], row["amount"], row["used_after"]) for row in rows] == [
            ("opening", "", "0.00"),
            ("reserve", "60.00", "60.00"),
            ("repayment", "-20.00", "40.00"),
            ("closing", "", "40.00"),
        ]

    @pytest.mark.parametrize(("language", "title"), [("en", "Account statement"), ("fa", "صورت‌حساب پذیرنده")])
    def test_is_on_paper_as_well(self, merchant: Merchant, client: APIClient, language: str, title: str) -> None:
        answer = of(client, "2026-01-01", "2026-12-31", form="pdf", language=language)
        assert answer["Content-Type"] == "application/pdf"
        assert f"statement-{merchant.pk}-2026-01-01-2026-12-31.pdf" in answer["Content-Disposition"]
        found = text_of(answer.content)
        assert title in found
        # the language of one answer is not that of the next
        assert "Account statement" in text_of(of(client, "2026-01-01", "2026-01-31", form="pdf").content)

    def test_that_is_too_long_says_what_to_do(self, client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api, "MOST_ENTRIES", 1)
        monkeypatch.setattr(api, "MOST_PRINTED_ENTRIES", 1)
        monkeypatch.setattr(selectors, "PAGE_ENTRIES", 1)
        for form in ("json", "pdf"):
            answer = of(client, "2026-01-01", "2026-12-31", form=form)
            assert (answer.status_code, answer.json()["code"]) == (422, "statement_too_long")
        assert len(of(client, "2026-01-01", "2026-12-31", form="csv").getvalue().splitlines()) == 5

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"period_from": "2026-01-01"},
            {"period_from": "2026-01-02", "period_to": "2026-01-01"},
            {"period_from": "2026-01-01", "period_to": "2027-01-02"},
            {"period_from": "1999-12-31", "period_to": "2000-01-01"},
            {"period_from": "9999-12-31", "period_to": "9999-12-31"},
            {"period_from": "2026-01-01", "period_to": "2026-01-02", "form": "xml"},
            {"period_from": "2026-01-01", "period_to": "2026-01-02", "form": "pdf", "language": "ar"},
        ],
    )
    def test_of_no_days_is_refused(self, client: APIClient, query: dict[str, str]) -> None:
        assert client.get(PATH, query).status_code == 422

    def test_is_its_merchants_and_staffs(self, merchant: Merchant, client: APIClient) -> None:
        query = {"period_from": "2026-01-01", "period_to": "2026-12-31"}
        own = client.get(PATH, query).json()
        staff = staff_client()
        assert staff.get(f"/api/v1/admin/merchants/{merchant.pk}/statements", query).json() == own
        assert staff.get("/api/v1/admin/merchants/999999/statements", query).status_code == 404
        other = merchant_client(make_merchant()).get(PATH, query).json()
        assert (other["entries"], other["closing"]["used"]) == ([], "0.00")


class TestAPeriod:
    def test_of_a_month_ends_with_it(self) -> None:
        assert Period.month(2024, 2) == Period(date(2024, 2, 1), date(2024, 2, 29))
        assert Period.month(2026, 12).last == date(2026, 12, 31)


class TestTheTimeZone:
    def test_that_is_none_is_told(self) -> None:
        given = {**ENVIRONMENT.model_dump(), "calendar_time_zone": "Asia/Atlantis"}
        with pytest.raises(ValueError, match="is no time zone: expected a name such as Asia/Tehran"):
            CoreEnvironment.model_validate(given)
