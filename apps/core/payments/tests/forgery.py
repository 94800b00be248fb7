"""Changes the books as only somebody with the owner's role and bad intentions could."""

from django.db import connection

GUARDED = (
    "payments_ledgerentry",
    "payments_withdrawal",
    "payments_idempotencykey",
    "payments_pooltopup",
    "payments_pooladjustment",
    "payments_repayment",
    "payments_repaymentreversal",
)


def forge(statement: str) -> None:
    """Runs the statement with the guarding triggers off."""
    with connection.cursor() as cursor:
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement)
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
