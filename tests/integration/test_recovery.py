"""Core's database restored to an older moment than settlement's: what is missing is named, made again, paid once."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from etebar_quickstart import paths

from . import books
from .api import ACCOUNT, Merchant, assert_problem, new_key
from .platform import Platform, databases
from .waiting import wait_until

CORES = ("core", "worker", "beat")
DOWN, REFUSED = "IRTESTDOWN0000000001", "IRTESTREFUSED0000001"


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    """One of its own: its database goes back in time."""
    with databases() as stack, Platform.started(stack) as platform:
        yield platform


def postgres_tool(platform: Platform, name: str, *arguments: str) -> None:
    """Runs a program of PostgreSQL as the database's superuser, as docs/how-to/backup-and-restore.md says."""
    dsn = httpx2.URL(platform.stack.dsn("postgres", "postgres"))
    place = {"PGHOST": dsn.host, "PGPORT": str(dsn.port), "PGUSER": "postgres", "PGPASSWORD": dsn.password}
    done = subprocess.run(
        [str(paths.POSTGRES_BINARIES / name), *arguments],
        env=os.environ | place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def backup(platform: Platform, file: Path) -> None:
    postgres_tool(platform, "pg_dump", "--format=custom", f"--file={file}", "walletdb")


def restore(platform: Platform, file: Path) -> None:
    """With core stopped, for nobody may withdraw before the books are whole again."""
    postgres_tool(platform, "pg_restore", "--clean", "--if-exists", "--create", "--dbname=postgres", str(file))


def stop_core(platform: Platform) -> None:
    for name in CORES:
        platform.stack.stop(name)


def verify(platform: Platform) -> list[str]:
    """The differences that verify_books names."""
    done = platform.stack.manage("verify_books")
    lines = [line for line in done.stderr.splitlines() if line.startswith("I")]
    assert done.returncode == (1 if lines else 0), done.stdout + done.stderr
    return lines


def recover(platform: Platform, *options: str) -> subprocess.CompletedProcess[str]:
    return platform.stack.manage("recover_from_settlement", *options)


@dataclass(frozen=True)
class Made:
    """A withdrawal: whose, under which key, for how much, its id, and the answer."""

    merchant: Merchant
    key: str
    amount: str
    answer: httpx2.Response

    @property
    def id(self) -> str:
        body: dict[str, Any] = self.answer.json()
        return str(body["withdrawal"]["id"] if "withdrawal" in body else body["id"])


def made(merchant: Merchant, amount: str) -> Made:
    key = new_key()
    return Made(merchant, key, amount, merchant.withdraw(amount, key))


def test_what_a_restore_lost_is_named_made_again_and_paid_once(platform: Platform, tmp_path: Path) -> None:
    api = platform.api
    merchant, refused, silent = (api.merchant(account=account) for account in (ACCOUNT, REFUSED, DOWN))
    before = made(merchant, "1.00")
    backup(platform, tmp_path / "walletdb.dump")
    lost = [made(merchant, "2.00"), made(merchant, "3.00"), made(refused, "4.00"), made(silent, "5.00")]
    assert [each.answer.status_code for each in lost] == [201, 201, 409, 202]
    stop_core(platform)
    restore(platform, tmp_path / "walletdb.dump")
    named = verify(platform)
    assert len(named) == len(lost)
    for each in lost:
        assert sum(each.id in line and "core has no such withdrawal" in line for line in named) == 1

    tried = recover(platform, "--dry-run")
    assert (tried.returncode, "4 withdrawals would be recovered, 0 are left." in tried.stdout) == (0, True), tried
    assert verify(platform) == named
    assert "4 withdrawals recovered, 0 are left." in recover(platform).stdout
    assert "0 withdrawals recovered, 0 are left." in recover(platform).stdout
    assert verify(platform) == []

    for name in CORES:
        platform.stack.restart(name)
    wait_until("core serves", lambda: api.send("GET", "/me").status_code == 401)
    assert merchant.withdraw(before.amount, before.key).content == before.answer.content
    for each, status in zip(lost, (201, 201, 409, 202), strict=True):
        again = each.merchant.withdraw(each.amount, each.key)
        assert (again.status_code, again.headers["Idempotency-Replayed"]) == (status, "true")
        assert Made(each.merchant, each.key, each.amount, again).id == each.id
        assert_problem(each.merchant.withdraw("0.50", each.key), 422, "idempotency_key_reused")
    assert (merchant.used(), refused.used(), silent.used()) == ("6.00", "0.00", "5.00")
    paid = sorted(each.id for each in (before, *lost[:2]))
    assert books.payments_of(platform.stack, *paid, *(each.id for each in lost[2:])) == paid
    assert verify(platform) == []


def test_what_cannot_be_made_again_is_named_with_what_is_missing(platform: Platform, tmp_path: Path) -> None:
    platform.revive()
    api = platform.api
    low = api.merchant(limit="5.00")
    backup(platform, tmp_path / "older.dump")
    api.must("POST", "/admin/credit-limit", {"merchant_id": low.number, "credit_limit": "50.00"}, api.admin)
    approved_late = api.merchant()
    lost = [made(low, "20.00"), made(approved_late, "7.00")]
    assert [each.answer.status_code for each in lost] == [201, 201]
    stop_core(platform)
    restore(platform, tmp_path / "older.dump")
    done = recover(platform)
    assert done.returncode == 1
    assert "0 withdrawals recovered, 2 are left." in done.stdout
    assert f"merchant {low.number} has a limit of 5.00: set at least 20.00" in done.stderr
    assert f"merchant {approved_late.number} of settlement's payouts (7.00 together) is lost" in done.stderr
    assert len(verify(platform)) == 2

    platform.stack.restart("core")
    wait_until("core serves", lambda: api.send("GET", "/me").status_code == 401)
    api.must("POST", "/admin/credit-limit", {"merchant_id": low.number, "credit_limit": "50.00"}, api.admin)
    # the number of the lost merchant is another one's now, and nothing is charged to it
    other = api.merchant()
    assert other.number == approved_late.number
    assert "1 withdrawals recovered, 1 are left." in recover(platform).stdout
    assert (low.used(), other.used()) == ("20.00", "0.00")
    assert [lost[1].id in line for line in verify(platform)] == [True]
