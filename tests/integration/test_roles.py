"""What each database role can reach and do, tried as that role on the migrated databases."""

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege

from etebar_quickstart.stack import Stack

from . import books
from .platform import Platform

CORES, SETTLEMENTS = ("wallet", "wallet_app"), ("settlement", "settlement_app")
WRITABLE = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v')
        AND has_table_privilege('etebar_audit', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')"""


@pytest.fixture
def withdrawal_id(platform: Platform) -> str:
    """A settled withdrawal: there is something to read and to harm in both databases."""
    answer = platform.api.merchant().withdraw("1.00")
    assert answer.status_code == 201
    return str(answer.json()["id"])


class TestTheOtherServicesDatabase:
    @pytest.mark.parametrize("role", SETTLEMENTS)
    def test_lets_no_role_of_settlement_into_cores(self, stack: Stack, role: str) -> None:
        with pytest.raises(psycopg2.OperationalError, match='permission denied for database "walletdb"'):
            books.query(stack.dsn(role, "walletdb"), "SELECT * FROM payments_withdrawal")

    @pytest.mark.parametrize("role", CORES)
    def test_lets_no_role_of_core_into_settlements(self, stack: Stack, role: str) -> None:
        with pytest.raises(psycopg2.OperationalError, match='permission denied for database "settlementdb"'):
            books.query(stack.dsn(role, "settlementdb"), "SELECT * FROM payouts")

    @pytest.mark.parametrize("role", [*CORES, *SETTLEMENTS, "etebar_audit"])
    def test_is_no_superusers_and_opens_to_no_bypass(self, stack: Stack, role: str) -> None:
        database = "settlementdb" if role in SETTLEMENTS else "walletdb"
        statement = """SELECT rolsuper OR rolcreaterole OR rolbypassrls OR rolreplication,
            EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid) FROM pg_roles WHERE rolname = %s"""
        assert books.query(stack.dsn(role, database), statement, role) == [(False, False)]


class TestCoresApplicationRole:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE payments_ledgerentry SET amount = 0",
            "DELETE FROM payments_ledgerentry",
            "TRUNCATE payments_ledgerentry",
        ],
    )
    def test_changes_no_ledger_entry(self, stack: Stack, withdrawal_id: str, statement: str) -> None:
        entries = "SELECT * FROM payments_ledgerentry WHERE withdrawal_id = %s ORDER BY id"
        before = books.query(stack.dsn("wallet_app"), entries, withdrawal_id)
        with pytest.raises(InsufficientPrivilege):
            books.query(stack.dsn("wallet_app"), statement)
        assert len(before) == 2
        assert books.query(stack.dsn("wallet_app"), entries, withdrawal_id) == before


class TestSettlementsApplicationRole:
    @pytest.mark.parametrize("statement", ["DELETE FROM payouts", "TRUNCATE payouts", "TRUNCATE sandbox_transfers"])
    def test_removes_no_payout(self, stack: Stack, withdrawal_id: str, statement: str) -> None:
        with pytest.raises(InsufficientPrivilege):
            books.query(stack.dsn("settlement_app", "settlementdb"), statement)
        assert books.payments_of(stack, withdrawal_id) == [withdrawal_id]


class TestTheAuditor:
    def test_reads_both_books(self, stack: Stack, withdrawal_id: str) -> None:
        ledger = "SELECT count(*) FROM payments_ledgerentry WHERE withdrawal_id = %s"
        assert books.query(stack.dsn("etebar_audit"), ledger, withdrawal_id) == [(2,)]
        payout = "SELECT state FROM payouts WHERE withdrawal_id = %s"
        assert books.query(stack.dsn("etebar_audit", "settlementdb"), payout, withdrawal_id) == [("paid",)]

    @pytest.mark.parametrize("database", ["walletdb", "settlementdb"])
    def test_may_write_to_no_table(self, stack: Stack, database: str) -> None:
        assert books.query(stack.dsn("etebar_audit", database), WRITABLE) == []
        with pytest.raises(InsufficientPrivilege):
            books.query(stack.dsn("etebar_audit", database), "CREATE TABLE note (text text)")

    @pytest.mark.parametrize(
        ("database", "statement"),
        [
            ("walletdb", "DELETE FROM payments_withdrawal"),
            ("walletdb", "SELECT payments_sandbox_clear()"),
            ("settlementdb", "UPDATE payouts SET state = 'refused'"),
            ("settlementdb", "SELECT clear_sandbox()"),
        ],
    )
    def test_is_refused_when_it_tries(self, stack: Stack, database: str, statement: str) -> None:
        with pytest.raises(InsufficientPrivilege):
            books.query(stack.dsn("etebar_audit", database), statement)
