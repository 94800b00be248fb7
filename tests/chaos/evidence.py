"""Both databases' books in the judge's words, read beside the services."""

from integration.books import query

from etebar_quickstart.stack import Stack

from .judge import Books, Payment, Withdrawal

WITHDRAWALS = """SELECT w.id::text, k.key, w.merchant_id, w.amount::text, w.state FROM payments_withdrawal w
    LEFT JOIN payments_idempotencykey k ON k.withdrawal_id = w.id"""
PAYOUTS = "SELECT withdrawal_id::text, amount::text, state FROM payouts"
TRANSFERS = "SELECT reference, amount::text, state FROM sandbox_transfers"


def read_books(stack: Stack) -> Books:
    """All rows."""
    core, settlement = stack.dsn("etebar_audit"), stack.dsn("etebar_audit", "settlementdb")
    return Books(
        withdrawals=[Withdrawal(*row) for row in query(core, WITHDRAWALS)],
        payouts=[Payment(*row) for row in query(settlement, PAYOUTS)],
        transfers=[Payment(*row) for row in query(settlement, TRANSFERS)],
    )
