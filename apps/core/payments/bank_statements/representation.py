"""How bank statements and their differences look in JSON."""

from decimal import Decimal
from typing import Any

from etebar_common.money import CENT
from payments.answers import timestamp
from payments.bank_statements.selectors import counts_of
from payments.bank_statements.services import Imported
from payments.models import BankStatement


def statement_members(statement: BankStatement) -> dict[str, Any]:
    """The members of a statement."""
    return {
        "statement_id": str(statement.pk),
        "form": statement.form,
        "name": statement.name,
        "digest": statement.digest,
        "period_from": statement.period_from.isoformat(),
        "period_to": statement.period_to.isoformat(),
        "line_count": statement.line_count,
        "created_at": timestamp(statement.created_at),
    }


def imported_members(imported: Imported) -> dict[str, Any]:
    """The same, and what the import brought."""
    return {
        **statement_members(imported.statement),
        "is_new": imported.is_new,
        "new_lines": imported.new_lines,
    }


def report_members(statement: BankStatement) -> dict[str, Any]:
    """The same, compared with the withdrawals as they are now."""
    counts = counts_of(statement.pk)
    compared = {kind.value: {"found": count.found, "resolved": count.resolved} for kind, count in counts.items()}
    return statement_members(statement) | compared


def difference_members(row: dict[str, Any]) -> dict[str, Any]:
    """The members of a row of selectors.differences_page."""
    return {
        "kind": row["kind"],
        "differs": [name for name in row["differs"].split(",") if name],
        "line_id": row["line_id"],
        "withdrawal_id": str(row["withdrawal_id"]) if row["withdrawal_id"] else None,
        "booked_on": row["booked_on"].isoformat() if row["booked_on"] else None,
        "reference": row["reference"],
        "bank_reference": row["bank_reference"],
        "amount": _amount(row["amount"]),
        "account_masked": row["account_masked"],
        "withdrawal_amount": _amount(row["expected"]),
        "withdrawal_state": row["state"],
        "resolved": row["resolution_id"] is not None,
        "reason": row["reason"],
    }


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount.quantize(CENT))
