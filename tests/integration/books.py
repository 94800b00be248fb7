"""What the two databases say, read beside the services."""

from typing import Any

import psycopg2

from etebar_quickstart.stack import Stack


def query(dsn: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of one statement, committed."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def withdrawals_under(stack: Stack, key: str) -> list[tuple[str, str]]:
    """The ids and states of all withdrawals that a key made."""
    statement = """SELECT w.id::text, w.state FROM payments_idempotencykey k
        JOIN payments_withdrawal w ON w.id = k.withdrawal_id WHERE k.key = %s"""
    return query(stack.dsn("etebar_audit"), statement, key)


def withdrawals_of(stack: Stack, merchant: int) -> dict[str, str]:
    """The states of a merchant's withdrawals by id."""
    statement = "SELECT id::text, state FROM payments_withdrawal WHERE merchant_id = %s"
    return dict(query(stack.dsn("etebar_audit"), statement, merchant))


def payments_of(stack: Stack, *withdrawal_ids: str) -> list[str]:
    """What the bank has paid for these, from the bank's own books; one member per transfer."""
    statement = """SELECT reference FROM sandbox_transfers
        WHERE state = 'paid' AND reference = ANY(%s) ORDER BY reference"""
    rows = query(stack.dsn("etebar_audit", "settlementdb"), statement, list(withdrawal_ids))
    return [reference for (reference,) in rows]


def payments_to(stack: Stack, account: str) -> list[tuple[str, str]]:
    """All that the bank has paid to an account: references and amounts."""
    statement = "SELECT reference, amount::text FROM sandbox_transfers WHERE state = 'paid' AND account = %s"
    return query(stack.dsn("etebar_audit", "settlementdb"), statement, account)


def requests_of(stack: Stack, path: str) -> list[int]:
    """The statuses of the requests of a path, from core's request log."""
    statement = "SELECT status FROM payments_apirequestlog WHERE path = %s ORDER BY created_at"
    return [status for (status,) in query(stack.dsn("etebar_audit"), statement, path)]


def make_due(stack: Stack) -> None:
    """Lets the time pass that the dispatcher gives a request, or a dispatcher that died, to end its work."""
    query(stack.dsn("wallet_app"), "UPDATE payments_withdrawal SET next_attempt_at = now() WHERE state = 'pending'")


def assert_books_agree(stack: Stack) -> None:
    """manage.py verify_books ends with 0."""
    done = stack.manage("verify_books")
    assert done.returncode == 0, done.stdout + done.stderr
