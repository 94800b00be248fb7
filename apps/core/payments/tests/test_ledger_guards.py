"""What the database itself refuses, whoever asks."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.apps import apps
from django.db import connection

from payments.models import CreditPool, LedgerEntry, MerchantCredit, Withdrawal
from payments.tests.factories import fund_pool, make_merchant, merchant_client, withdraw
from payments.tests.other_connection import connected

pytestmark = pytest.mark.usefixtures("books")

APPEND_ONLY = (
    "payments_ledgerentry",
    "payments_pooltopup",
    "payments_dispatchattempt",
    "payments_auditentry",
    "payments_pooladjustment",
    "payments_repayment",
    "payments_repaymentreversal",
    "payments_bankstatement",
    "payments_bankstatementline",
    "payments_statementresolution",
)
KEPT = (
    *APPEND_ONLY,
    "payments_withdrawal",
    "payments_idempotencykey",
    "payments_merchant",
    "payments_walletaccount",
    "payments_approvalrequest",
    "payments_outcomedecision",
)
REFUSED = (psycopg2.errors.InsufficientPrivilege,)
FINAL = psycopg2.errors.CheckViolation
NOT_THERE = psycopg2.errors.ForeignKeyViolation

SELECT_WITHDRAWAL = (
    "INSERT INTO payments_withdrawal (id, merchant_id, wallet_account_id, amount, state, accepted_limit,"
    " account_fingerprint, failure_code, created_at, attempts, next_attempt_at)"
    " SELECT gen_random_uuid(), {merchant}, {account}, 1, 'pending', 1, '', '', now(), 0, now()"
    " FROM payments_withdrawal"
)


@pytest.fixture
def app_role(etebar_servers: Any) -> Iterator[Any]:
    with connected("wallet_app", etebar_servers.environments.secrets.of_role("wallet_app")) as other:
        yield other


@pytest.fixture
def settled() -> Withdrawal:
    fund_pool()
    assert withdraw(merchant_client(make_merchant())).status_code == 201
    return Withdrawal.objects.get()


class TestTheApplicationsRole:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    @pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
    def test_cannot_update_delete_or_truncate_the_books(
        self, app_role: Any, settled: Withdrawal, table: str, statement: str
    ) -> None:
        with pytest.raises(REFUSED), app_role.cursor() as cursor:
            cursor.execute(statement.format(table))

    @pytest.mark.parametrize("table", KEPT)
    @pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE"])
    def test_cannot_remove_what_is_kept(self, app_role: Any, settled: Withdrawal, table: str, statement: str) -> None:
        with pytest.raises(REFUSED), app_role.cursor() as cursor:
            cursor.execute(statement.format(table))

    @pytest.mark.parametrize(
        "column", ["amount", "merchant_id", "accepted_limit", "account_fingerprint", "trace_parent"]
    )
    def test_cannot_change_what_a_withdrawal_is_about(self, app_role: Any, settled: Withdrawal, column: str) -> None:
        with pytest.raises(REFUSED), app_role.cursor() as cursor:
            cursor.execute(f"UPDATE payments_withdrawal SET {column} = {column}")

    def test_cannot_turn_production_into_a_sandbox(self, app_role: Any) -> None:
        with pytest.raises(REFUSED), app_role.cursor() as cursor:
            cursor.execute("UPDATE payments_deployment SET profile = 'sandbox'")

    def test_cannot_change_the_tables_or_their_triggers(self, app_role: Any) -> None:
        with pytest.raises(REFUSED), app_role.cursor() as cursor:
            cursor.execute("ALTER TABLE payments_ledgerentry DISABLE TRIGGER ALL")

    def test_may_use_every_table_of_every_model(self, app_role: Any) -> None:
        tables = [model._meta.db_table for model in apps.get_models(include_auto_created=True)]
        with app_role.cursor() as cursor:
            cursor.execute("SELECT t FROM unnest(%s) t WHERE NOT has_table_privilege(t, 'SELECT, INSERT')", [tables])
            without = [table for (table,) in cursor.fetchall()]
            cursor.execute(
                "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"
                " AND NOT has_sequence_privilege(sequencename::text, 'USAGE')"
            )
            without += [name for (name,) in cursor.fetchall()]
        assert without == []


class TestTheOwnersRole:
    @pytest.mark.parametrize("table", APPEND_ONLY)
    def test_cannot_update_the_books_either(self, settled: Withdrawal, table: str) -> None:
        with connected() as owner, pytest.raises(REFUSED), owner.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET id = id")

    @pytest.mark.parametrize("profile", ["test", "sandbox"])
    def test_may_clear_the_books_of_a_sandbox(self, settled: Withdrawal, profile: str) -> None:
        with connected() as owner, owner.cursor() as cursor:
            cursor.execute("UPDATE payments_deployment SET profile = %s", [profile])
            cursor.execute("SELECT payments_sandbox_clear()")
            cursor.execute("SELECT count(*) FROM payments_ledgerentry")
            assert cursor.fetchone() == (0,)
            owner.rollback()

    @pytest.mark.parametrize(
        "statement",
        ["DELETE FROM payments_ledgerentry", "TRUNCATE payments_ledgerentry", "SELECT payments_sandbox_clear()"],
    )
    def test_may_not_clear_the_books_of_production(self, settled: Withdrawal, statement: str) -> None:
        with connected() as owner, owner.cursor() as cursor:
            cursor.execute("UPDATE payments_deployment SET profile = 'production'")
            with pytest.raises(REFUSED):
                cursor.execute(statement)
            owner.rollback()
        assert LedgerEntry.objects.exists()


class TestConstraints:
    def refused(self, statement: str, parameters: list[object] | None = None) -> None:
        with connected() as owner, pytest.raises(FINAL), owner.cursor() as cursor:
            cursor.execute(statement, parameters)

    def test_a_ledger_transaction_that_does_not_sum_to_zero_is_refused(self) -> None:
        self.refused(
            "INSERT INTO payments_ledgerentry (transaction_id, kind, account, account_id,"
            " number, amount, balance_after, created_at) VALUES (%s, 'top_up', 'pool', 1, 1, 5, 5, now())",
            [str(uuid4())],
        )

    def test_the_pool_never_goes_below_zero(self) -> None:
        CreditPool.objects.get_or_create(pk=1)
        self.refused("UPDATE payments_creditpool SET available_amount = -0.01")

    def test_what_a_merchant_uses_never_goes_below_zero(self) -> None:
        make_merchant()
        assert MerchantCredit.objects.count() == 1
        self.refused("UPDATE payments_merchantcredit SET utilized_amount = -0.01")

    def test_a_final_outcome_is_final(self, settled: Withdrawal) -> None:
        self.refused("UPDATE payments_withdrawal SET state = 'pending', finalized_at = NULL, next_attempt_at = now()")

    def test_a_final_answer_is_final(self, settled: Withdrawal) -> None:
        self.refused("UPDATE payments_idempotencykey SET status = 202")

    def test_a_pending_withdrawal_cannot_lose_its_next_attempt(self) -> None:
        fund_pool()
        withdraw(merchant_client(make_merchant()), Prefer="respond-async")
        self.refused("UPDATE payments_withdrawal SET next_attempt_at = NULL")


class TestReferences:
    @pytest.mark.parametrize(
        "statement",
        [
            SELECT_WITHDRAWAL.format(merchant="merchant_id", account="gen_random_uuid()"),
            SELECT_WITHDRAWAL.format(merchant="merchant_id + 1", account="wallet_account_id"),
            (
                "INSERT INTO payments_idempotencykey (scope, key, method, path, request, withdrawal_id, created_at)"
                " VALUES ('user:1', 'k', 'POST', '/', '{}', gen_random_uuid(), now())"
            ),
            (
                "INSERT INTO payments_ledgerentry (transaction_id, kind, account, account_id, number, amount,"
                " balance_after, withdrawal_id, created_at)"
                " SELECT gen_random_uuid(), 'reserve', 'pool', 1, 99, 0, 0, gen_random_uuid(), now()"
            ),
        ],
        ids=["account", "account of another merchant", "key", "ledger entry"],
    )
    def test_what_the_books_refer_to_is_there(self, settled: Withdrawal, statement: str) -> None:
        with connected() as owner, pytest.raises(NOT_THERE), owner.cursor() as cursor:
            cursor.execute(statement)

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE payments_walletaccount SET id = gen_random_uuid()",
            "UPDATE payments_walletaccount SET merchant_id = merchant_id + 1",
            "UPDATE payments_withdrawal SET id = gen_random_uuid()",
            "UPDATE payments_idempotencykey SET withdrawal_id = NULL",
        ],
    )
    def test_what_is_referred_to_keeps_its_identity(self, settled: Withdrawal, statement: str) -> None:
        with connected() as owner, pytest.raises(FINAL), owner.cursor() as cursor:
            cursor.execute(statement)


def test_the_auditor_reads_the_books_and_no_password(etebar_servers: Any, settled: Withdrawal) -> None:
    password = etebar_servers.environments.secrets.of_role("etebar_audit")
    with connected("etebar_audit", password) as auditor, auditor.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM payments_ledgerentry")
        assert cursor.fetchone()[0] > 0
        with pytest.raises(REFUSED):
            cursor.execute("SELECT password FROM auth_user")


def test_every_money_table_is_guarded() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgname IN ('append_only', 'kept')"
        )
        assert {name for (name,) in cursor.fetchall()} == set(KEPT)


def test_the_application_may_remove_rows_of_logs_only() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'payments%'"
            " AND has_table_privilege('wallet_app', tablename::text, 'DELETE, TRUNCATE')"
        )
        logs = {"payments_apirequestlog", "payments_webhookattempt", "payments_webhookdelivery"}
        assert {name for (name,) in cursor.fetchall()} == logs
