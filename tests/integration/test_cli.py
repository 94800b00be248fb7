"""The command `etebar` against the platform, as a merchant and as staff type it."""

import getpass
import re
import stat
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from etebar_client import cli, credentials, printing
from etebar_quickstart.admin import ADMIN

from .api import ASYNC, PASSWORD, Merchant
from .platform import Platform
from .test_decided_outcomes import DOWN, left_unknown

Run = Callable[..., str]
KEY = {"name": "cli", "scopes": ["withdrawals:write", "withdrawals:read"]}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where credentials are kept, and a terminal that is wide enough."""
    path = tmp_path / "credentials.json"
    monkeypatch.setenv("ETEBAR_CREDENTIALS", str(path))
    monkeypatch.setattr(printing, "out", printing.console(200))
    return path


@pytest.fixture
def etebar(kept: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str, code: int = 0) -> str:
        assert cli.main(arguments) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


def log_in(platform: Platform, monkeypatch: pytest.MonkeyPatch, etebar: Run, *who: str, password: str) -> str:
    monkeypatch.setattr(getpass, "getpass", lambda: password)
    return etebar("login", "--url", platform.stack.environments.core_url, "--username", *who)


@pytest.fixture
def merchant(platform: Platform, monkeypatch: pytest.MonkeyPatch, etebar: Run) -> Merchant:
    merchant = platform.api.merchant()
    name = platform.api.must("GET", "/me", headers=merchant.token)["username"]
    assert f"logged in as {name}" in log_in(platform, monkeypatch, etebar, name, password=PASSWORD)
    return merchant


def keys_of(merchant: Merchant) -> list[str]:
    return [each["id"] for each in merchant.api.must("GET", "/api-keys", headers=merchant.token)["results"]]


class TestAMerchant:
    def test_withdraws_and_looks_at_it(self, merchant: Merchant, etebar: Run) -> None:
        key = str(uuid.uuid4())
        assert re.search(r"3\.00 +│ settled", etebar("withdraw", "3.00", "--key", key))
        # the same key is the same withdrawal
        assert re.search(r"3\.00 +│ settled", etebar("withdraw", "3.00", "--key", key))
        assert merchant.used() == "3.00"
        assert re.search(r"approved +│ 100\.00 +│ 3\.00 +│ 97\.00", etebar("account"))
        assert etebar("withdrawals").count("settled") == 1
        assert etebar("withdrawals", "--state", "failed").count("3.00") == 0

    def test_waits_for_what_is_pending(self, merchant: Merchant, etebar: Run) -> None:
        merchant.withdraw("2.00", **ASYNC)
        assert "pending" not in etebar("watch")
        assert etebar("withdrawals").count("settled") == 1

    def test_sees_a_statement(self, merchant: Merchant, etebar: Run) -> None:
        made = merchant.withdraw("2.00").json()
        printed = etebar("statement", made["created_at"][:7])
        assert "opening: used 0.00" in printed
        assert "closing: used 2.00" in printed
        assert re.search(r"reserve +│ 2\.00 +│ 2\.00", printed)
        assert re.search(r"limit: 100\.00 from 20", printed)
        day = made["created_at"][:10]
        assert "closing: used 2.00" in etebar("statement", f"2026-01-01:{day}")
        assert "closing: used 0.00" in etebar("statement", "2026-01-01")

    def test_takes_a_statement_as_a_file(self, merchant: Merchant, etebar: Run, tmp_path: Path) -> None:
        month = merchant.withdraw("2.00").json()["created_at"][:7]
        for form, begins in (("pdf", b"%PDF-"), ("csv", b"number,"), ("PDF", b"%PDF-")):
            file = tmp_path / f"statement.{form}"
            told = etebar("statement", month, "--file", str(file), "--language", "fa")
            assert file.read_bytes().startswith(begins)
            assert f"{file.stat().st_size:,} bytes" in told.replace("\n", "")

    @pytest.mark.parametrize("width", [20, 40, 80])
    def test_reads_whole_ids_and_amounts_in_a_narrow_terminal(
        self, merchant: Merchant, etebar: Run, monkeypatch: pytest.MonkeyPatch, width: int
    ) -> None:
        made = merchant.withdraw("2.00").json()["id"]
        monkeypatch.setattr(printing, "out", printing.console(width))
        listed = etebar("withdrawals")
        assert all(each in listed for each in (made, "2.00", "settled"))
        assert all(each in etebar("account") for each in ("approved", "100.00", "98.00"))

    def test_is_told_by_the_code_how_it_ended(self, platform: Platform, etebar: Run) -> None:
        def be(somebody: Merchant) -> None:
            key = platform.api.must("POST", "/api-keys", KEY, somebody.token)["key"]
            credentials.save(credentials.Credentials(platform.stack.environments.core_url, "somebody", api_key=key))

        refused = platform.api.merchant(account="IRTESTREFUSED0000001")
        be(refused)
        assert "failed" in etebar("watch", refused.withdraw("1.00", **ASYNC).json()["id"], code=1)
        be(platform.api.merchant(account=DOWN))
        assert "pending" in etebar("withdraw", "1.00", "--wait", "0", code=3)
        assert "pending" in etebar("watch", "--wait", "0.5", code=3)
        told = etebar("withdraw", "1.00", "--wait", "0.5", code=3)
        assert f"ask again with the key '{told.split()[1]}'" in told

    def test_who_logs_in_again_has_one_key_and_who_logs_out_has_none(
        self, platform: Platform, merchant: Merchant, etebar: Run, monkeypatch: pytest.MonkeyPatch, kept: Path
    ) -> None:
        [first], name = keys_of(merchant), credentials.load().username
        url = f"{platform.stack.environments.core_url}/"
        assert f"logged in as {name}" in etebar("login", "--url", url, "--username", name)
        [second] = keys_of(merchant)
        assert second != first
        assert "approved" in etebar("account")
        monkeypatch.setattr(getpass, "getpass", lambda: "wrong")
        assert "credentials_invalid" in etebar("logout", code=1)
        assert keys_of(merchant) == [second]
        monkeypatch.setattr(getpass, "getpass", lambda: PASSWORD)
        assert f"{name} is logged out" in etebar("logout")
        assert (keys_of(merchant), kept.exists()) == ([], False)

    def test_who_only_forgets_is_told_of_the_key_that_is_left(
        self, merchant: Merchant, etebar: Run, kept: Path
    ) -> None:
        key = credentials.load().key_id
        assert f"the API key {key} of" in etebar("logout", "--forget")
        assert not kept.exists()
        assert keys_of(merchant) == [key]

    def test_whose_key_is_forgotten_for_somebody_elses_is_told(
        self, platform: Platform, merchant: Merchant, etebar: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        known = credentials.load()
        password = platform.stack.environments.secrets.admin_password
        told = log_in(platform, monkeypatch, etebar, ADMIN, "--staff", password=password)
        assert f"the API key {known.key_id} of {known.username} is still good" in told

    def test_is_told_what_is_refused(self, merchant: Merchant, etebar: Run) -> None:
        assert "insufficient_credit" in etebar("withdraw", "100000", code=1)

    def test_leaves_no_password_and_nothing_for_others_to_read(self, merchant: Merchant, kept: Path) -> None:
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert set(credentials.load().api_key[:4]) == set("etk_")
        assert f'"{PASSWORD}"' not in kept.read_text()

    @pytest.mark.parametrize(
        "wrong",
        [
            ["withdraw", "-3"],
            ["withdraw", "1.001"],
            ["withdraw", "3.00", "--key", ""],
            ["withdraw", "3.00", "--key", "ک"],
            ["withdraw", "3.00", "--wait", "nan"],
            ["statement", "2026-13"],
            ["statement", "2026-02-30"],
            ["statement", "2026-02-01:"],
            ["withdrawals", "--most", "0"],
            ["login", "--url", "pay.example"],
            ["statement", "2026-11", "--file", "x.doc"],
            ["x"],
            [],
        ],
    )
    def test_who_types_nonsense_is_told(self, etebar: Run, wrong: list[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            etebar(*wrong)
        assert ended.value.code == 2

    def test_who_has_not_logged_in_is_told(self, etebar: Run) -> None:
        assert "nobody is logged in here" in etebar("account", code=1)


class TestStaff:
    def test_approve_and_fund(self, platform: Platform, monkeypatch: pytest.MonkeyPatch, etebar: Run) -> None:
        password = platform.stack.environments.secrets.admin_password
        told = log_in(platform, monkeypatch, etebar, ADMIN, "--staff", password=password)
        assert "is still good" not in told
        name = f"cli-{uuid.uuid4().hex[:8]}"
        wish = {"username": name, "password": PASSWORD, "requested_credit": "5.00", "bank_account": "IRTEST1"}
        number = platform.api.must("POST", "/auth/register", wish)["merchant_id"]
        assert name in etebar("staff", "merchants", "--state", "pending")
        assert "the last 1; there are more" in etebar("staff", "merchants", "--most", "1")
        assert f"{name} is approved" in etebar("staff", "approve", str(number), "5.00")
        before = float(etebar("staff", "pool").split()[-1])
        told = etebar("staff", "top-up", "7.00")
        key = told.split()[1]
        assert float(told.split()[-1]) - before == pytest.approx(7.0)
        # who lost the answer asks again with the key
        assert etebar("staff", "top-up", "7.00", "--key", key) == told

    def test_decide_what_somebody_else_has_asked_for(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, etebar: Run
    ) -> None:
        name = f"cli-{uuid.uuid4().hex[:8]}"
        password = platform.stack.manage("staff", "add", name, "--group", "treasurer").stdout.split()[-1]
        admin = platform.stack.environments.secrets.admin_password
        log_in(platform, monkeypatch, etebar, ADMIN, "--staff", password=admin)
        etebar("staff", "top-up", "7.00")
        before = float(etebar("staff", "pool").split()[-1])
        asked = {
            who: platform.api.must(
                "POST", "/admin/pool/adjustments", {"amount": "-2.00", "reason": f"[{who}] [/b]"}, token
            )
            for who, token in (("hers", platform.api.sign_in(name, password)), ("own", platform.api.admin))
        }
        hers, own = (asked[who]["approval_id"] for who in ("hers", "own"))
        listed = etebar("staff", "requests")
        assert (hers in listed, own in listed) == (True, True)
        # texts are as they were written, and markup is none
        assert all(f"[{who}] [/b]" in listed for who in asked)
        assert "second_person_needed" in etebar("staff", "decide", "approve", own, code=1)
        assert "the request is approved" in etebar("staff", "decide", "approve", hers, "--reason", "counted twice")
        assert before - float(etebar("staff", "pool").split()[-1]) == pytest.approx(2.0)
        assert hers not in etebar("staff", "requests")

    def test_read_all_that_there_is_to_decide_by(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, etebar: Run
    ) -> None:
        admin = platform.stack.environments.secrets.admin_password
        log_in(platform, monkeypatch, etebar, ADMIN, "--staff", password=admin)
        withdrawal = left_unknown(platform, platform.api.merchant(account=DOWN), uuid.uuid4().hex)
        evidence = {"outcome": "refused", "evidence": "the bank's letter of today", "bank_reference": "B-77"}
        platform.api.must("POST", f"/admin/withdrawals/{withdrawal}/outcome", evidence, platform.api.admin)
        monkeypatch.setattr(printing, "out", printing.console(80))
        listed = etebar("staff", "requests", "--most", "1")
        assert all(each in listed for each in (withdrawal, *evidence.values()))

    def test_with_a_wrong_password_are_told(
        self, platform: Platform, monkeypatch: pytest.MonkeyPatch, etebar: Run
    ) -> None:
        monkeypatch.setattr(getpass, "getpass", lambda: "wrong")
        url = platform.stack.environments.core_url
        assert "credentials_invalid" in etebar("login", "--url", url, "--username", ADMIN, "--staff", code=1)
