"""What staff do in the console, with Chromium, on real processes."""

import csv
import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from integration import test_decided_outcomes as decided
from integration.api import new_key
from integration.platform import Platform
from integration.waiting import wait_until

from etebar_quickstart import paths

from .conftest import Person
from .console import Console

# SCREENSHOTS=1 writes the pictures that README shows
PICTURES = paths.REPOSITORY / "docs" / "pictures"

People = Callable[..., Person]
Consoles = Callable[..., Console]


def registered(platform: Platform) -> int:
    """A merchant who waits for approval."""
    wish = {"username": f"shop-{new_key()[:8]}", "password": "p", "requested_credit": "1000.00"}
    wish["bank_account"] = "IRTEST0000000000001"
    return int(platform.api.must("POST", "/auth/register", wish)["merchant_id"])


def merchant_of(platform: Platform, number: int) -> dict[str, str]:
    return platform.api.must("GET", f"/admin/merchants/{number}", headers=platform.api.admin)


class TestAnApprover:
    def test_approves_a_merchant_who_waits(self, platform: Platform, person: People, console: Consoles) -> None:
        number = registered(platform)
        page = console(person("approver"))
        assert "Merchants to approve" in page.text("#queue")
        page.follow("Merchants to approve")
        page.press(f'#result_list a[href*="/merchant/{number}/"]')
        page.follow("Approve")
        page.fill("credit_limit", "1,500.00")
        page.submit()
        assert "approved and may withdraw" in page.text(".messagelist")
        shown = merchant_of(platform, number)
        assert (shown["state"], shown["credit_limit"]) == ("approved", "1500.00")
        assert "1,500.00" in page.text("#content")

    def test_is_told_what_is_wrong_and_loses_nothing_typed(
        self, platform: Platform, person: People, console: Consoles
    ) -> None:
        number = registered(platform)
        page = console(person("approver"))
        page.open(f"payments/merchant/{number}/approve/")
        page.fill("credit_limit", "a lot")
        page.submit()
        assert "no amount" in page.text(".errorlist")
        assert page.driver.find_element("name", "credit_limit").get_attribute("value") == "a lot"
        assert merchant_of(platform, number)["state"] == "pending"


class TestATreasurer:
    def test_tops_the_pool_up_and_sees_its_history(self, platform: Platform, person: People, console: Consoles) -> None:
        before = platform.api.must("GET", "/admin/pool", headers=platform.api.admin)
        page = console(person("treasurer"))
        page.follow("Available in the pool")
        page.follow("Top up")
        page.fill("amount", "250.00")
        page.submit()
        after = platform.api.must("GET", "/admin/pool", headers=platform.api.admin)
        assert float(after["funded_amount"]) - float(before["funded_amount"]) == pytest.approx(250)
        wait_until("the history is drawn", lambda: page.is_drawn("balance"))
        assert page.complaints() == []

    def test_does_not_see_what_is_an_approvers(self, platform: Platform, person: People, console: Consoles) -> None:
        page = console(person("treasurer"))
        page.open(f"payments/merchant/{registered(platform)}/change/")
        assert "Approve" not in page.links(".object-tools a")


class TestAViewer:
    @pytest.mark.usefixtures("busy")
    def test_sees_how_it_goes_on_the_first_page(self, person: People, console: Consoles) -> None:
        page = console(person("viewer"))
        for canvas in ("outcomes", "balance"):
            wait_until(f"{canvas} is drawn", lambda canvas=canvas: page.is_drawn(canvas))
        told = page.driver.find_element("id", "outcomes").get_attribute("aria-label")
        assert told is not None
        assert re.search(r"\b\d+ settled, \d+ pending, \d+ failed", told)
        assert page.complaints() == []


class TestAnUnknownOutcome:
    def test_is_decided_by_two_and_by_no_one_alone(self, platform: Platform, person: People, console: Consoles) -> None:
        merchant = platform.api.merchant(account=decided.DOWN)
        # who decides is of staff before anything is asked
        first, second = person("approver"), person("treasurer")
        withdrawal_id = decided.left_unknown(platform, merchant, new_key())
        asks, decides = console(first), console(second)

        asks.follow("Withdrawals whose outcome is not known")
        asks.follow(withdrawal_id)
        asks.follow("Ask to decide the outcome")
        asks.choose("outcome", "refused")
        asks.fill("evidence", "the bank's letter of Monday")
        asks.fill("bank_reference", "letter 12")
        asks.submit()
        assert "waits for a second person" in asks.text(".messagelist")

        asks.press('#content td a[href*="/approvalrequest/"]')
        assert "You asked for this" in asks.text("#content")
        asks.follow("Approve")
        asks.submit()
        assert "Another person must decide" in asks.text(".errornote")
        assert merchant.state_of(withdrawal_id) == "pending"

        decides.follow("Requests that you may decide")
        decides.press("#result_list th a")
        assert "the bank's letter of Monday" in decides.text("#content")
        decides.follow("Approve")
        decides.submit()
        assert "The request is approved." in decides.text(".messagelist")
        wait_until("it is carried out", decided.ended(merchant, withdrawal_id))
        assert (merchant.state_of(withdrawal_id), merchant.used()) == ("failed", "0.00")


class TestAnAuditor:
    def test_takes_the_rows_along(self, platform: Platform, person: People, console: Consoles, tmp_path: Path) -> None:
        merchant = platform.api.merchant()
        merchant.withdraw("7.00")
        page = console(person("auditor"))
        page.open(f"payments/withdrawal/?q={merchant.number}")
        page.driver.find_element("css selector", "a.export").click()
        saved = wait_until("the file is there", lambda: next(tmp_path.glob("*/withdrawal.csv"), None))
        rows = list(csv.DictReader(io.StringIO(saved.read_text())))
        assert [(row["merchant_id"], row["amount"], row["state"]) for row in rows] == [
            (str(merchant.number), "7.00", "settled")
        ]


class TestTheLanguage:
    def test_is_switched_on_any_page_and_stays(self, person: People, console: Consoles) -> None:
        page = console(person("viewer"))
        page.follow("Available in the pool")
        page.press('button[name=language][value="fa"]')
        assert page.driver.find_element("tag name", "html").get_attribute("dir") == "rtl"
        assert "موجودی" in page.text("#content")
        page.open()
        assert "آنچه در انتظار کسی است" in page.text("#queue")
        page.press('button[name=language][value="en"]')
        assert "What waits for somebody" in page.text("#queue")


@pytest.fixture(scope="module")
def busy(platform: Platform) -> None:
    """Withdrawals that ended in every way, spread over some seconds."""
    pays, refuses, is_down = (
        platform.api.merchant(limit="1000.00", account=account)
        for account in ("IRTEST0000000000001", "IRTESTREFUSED0000001", decided.DOWN)
    )
    for turn in range(60):
        pays.withdraw("7.25")
        if turn % 8 == 0:
            refuses.withdraw()
        if turn % 20 == 0:
            is_down.withdraw(Prefer="respond-async")
        time.sleep(0.05)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fa"])
class TestEveryPage:
    def test_is_for_everybody_and_asks_nobody_outside(
        self, platform: Platform, person: People, console: Consoles, language: str, scheme: str
    ) -> None:
        """axe-core finds nothing serious; no other host is asked; the browser has nothing to complain of."""
        merchant = platform.api.merchant(limit="1000.00")
        withdrawal_id = merchant.withdraw("120.50").json()["id"]
        waiting = registered(platform)
        unknown = decided.left_unknown(platform, platform.api.merchant(account=decided.DOWN), new_key())
        evidence = {"outcome": "refused", **decided.EVIDENCE}
        url = f"/admin/withdrawals/{unknown}/outcome"
        asked = platform.api.must("POST", url, evidence, platform.api.admin)["approval_id"]
        entrance = console(None, language, scheme)
        entrance.open()
        found = {"the log-in": entrance.violations()}
        page = console(person("auditor", "approver", "treasurer"), language, scheme)
        paths_of = {
            "home": "",
            "merchants": "payments/merchant/",
            "merchant": f"payments/merchant/{merchant.number}/change/",
            "approve": f"payments/merchant/{waiting}/approve/",
            "pool": "payments/creditpool/1/change/",
            "withdrawal": f"payments/withdrawal/{withdrawal_id}/change/",
            "outcome": f"payments/withdrawal/{unknown}/outcome/",
            "request": f"payments/approvalrequest/{asked}/change/",
            "decision": f"payments/approvalrequest/{asked}/approve/",
            "top-up": "payments/creditpool/1/top-up/",
            "repayment": f"payments/merchant/{merchant.number}/repayment/",
            "audit": "payments/auditentry/?q=merchant_approved",
        }
        for name, path in paths_of.items():
            page.open(path)
            found[name] = page.violations()
            assert page.foreign_requests() == [], name
            if os.environ.get("SCREENSHOTS") and name in {"home", "merchant", "pool"}:
                page.picture(PICTURES / f"console-{name}-{language}-{scheme}.png")
        assert page.complaints() == []
        page.open("auth/user/")
        found["a page of somebody else's"] = page.violations()
        assert {name: each for name, each in found.items() if each} == {}
