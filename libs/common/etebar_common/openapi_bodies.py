"""Bodies that an OpenAPI document shows whole: their members are right together only, as no list of members says."""

from typing import Any

from etebar_common.bank_account import mask_account

JsonObject = dict[str, Any]

MOMENT, DAY = "2026-11-28T09:30:00.123456Z", "2026-11-28"
# one that is over is refused, as is one of more than ten years
EXPIRY = "2035-01-01T00:00:00Z"
WITHDRAWAL, UUID = "01a2092f-193a-76b5-9b2a-e1108a2c585b", "3f0e8a0f-0d53-4a43-9d53-0a3f5d1e7f10"
REASON = "a telephone call of 28 November"
ACCOUNT = "IRTEST0000000000001"
BANK_STATEMENT = f"""booked_on,bank_reference,reference,amount,account
{DAY},BANK-0001,{WITHDRAWAL},100.00,{ACCOUNT}
{DAY},BANK-0002,interest,-3.00,
"""

_PENDING_MERCHANT: JsonObject = {
    "merchant_id": 2,
    "username": "shop-1",
    "state": "pending",
    "state_reason": "",
    "requested_credit": "1000.00",
    "bank_account": mask_account(ACCOUNT),
    "wallet_account_id": None,
    "credit_limit": None,
    "utilized_amount": None,
    "available_credit": None,
    "created_at": MOMENT,
}
_MERCHANT: JsonObject = {
    **_PENDING_MERCHANT,
    "state": "approved",
    "wallet_account_id": UUID,
    "credit_limit": "1000.00",
    "utilized_amount": "100.00",
    "available_credit": "900.00",
}
_LIMIT_ASKED: JsonObject = {
    "approval_id": UUID,
    "kind": "credit_limit",
    "state": "requested",
    "merchant_id": 2,
    "credit_limit": "1000.00",
    "amount": None,
    "withdrawal_id": None,
    "statement_line_id": None,
    "outcome": None,
    "result": None,
    "bank_reference": "",
    "grounds": "",
    "requested_for": "staff:nasrin",
    "reason": "",
    "created_at": MOMENT,
    "decided_at": None,
}
_ASKED: JsonObject = {**_LIMIT_ASKED, "merchant_id": None, "credit_limit": None, "grounds": REASON}
_RESERVED: JsonObject = {
    "number": 42,
    "transaction_id": WITHDRAWAL,
    "kind": "reserve",
    "amount": "100.00",
    "balance_after": "300.00",
    "withdrawal_id": WITHDRAWAL,
    "created_at": MOMENT,
}
_REPAID: JsonObject = {
    **_RESERVED,
    "number": 43,
    "transaction_id": UUID,
    "kind": "repayment",
    "amount": "-50.00",
    "balance_after": "250.00",
    "withdrawal_id": None,
}
_DELIVERY: JsonObject = {
    "id": 1207,
    "event_id": f"wd_{WITHDRAWAL}_settled",
    "type": "withdrawal.settled",
    "withdrawal_id": WITHDRAWAL,
    "state": "delivered",
    "attempts": 1,
    "occurred_at": MOMENT,
    "next_attempt_at": None,
    "finished_at": MOMENT,
}

# by the name of a schema
BODIES: JsonObject = {
    "AccountStatement": {
        "merchant_id": 2,
        "period_from": "2026-11-01",
        "period_to": "2026-11-30",
        "time_zone": "Asia/Tehran",
        "opening": {"used": "200.00", "credit_limit": "500.00"},
        "closing": {"used": "250.00", "credit_limit": "1000.00"},
        "totals": [
            {"kind": "repayment", "count": 1, "amount": "-50.00"},
            {"kind": "reserve", "count": 1, "amount": "100.00"},
        ],
        "limits": [{"at": MOMENT, "credit_limit": "1000.00"}],
        "entries": [_RESERVED, _REPAID],
    },
    "Approval": _LIMIT_ASKED,
    "Delivery": _DELIVERY,
    "DeliveryLog": {
        **_DELIVERY,
        "log": [{"number": 1, "status": 200, "error": "", "duration_ms": 38, "created_at": MOMENT}],
    },
    "Difference": {
        "kind": "different",
        "differs": ["amount"],
        "line_id": 17,
        "withdrawal_id": WITHDRAWAL,
        "booked_on": DAY,
        "reference": WITHDRAWAL,
        "bank_reference": "BANK-0001",
        "amount": "90.00",
        "account_masked": mask_account(ACCOUNT),
        "withdrawal_amount": "100.00",
        "withdrawal_state": "settled",
        "resolved": False,
        "reason": None,
    },
    "Key": {
        "key": "order-1001",
        "state": "settled",
        "method": "POST",
        "path": "/api/v1/withdrawals",
        "answer_status": 201,
        "withdrawal_id": WITHDRAWAL,
        "created_at": MOMENT,
    },
    "LedgerEntry": _RESERVED,
    "Merchant": _MERCHANT,
    "MerchantLimit": {**_MERCHANT, "approval_request": None},
    "RepaymentRequest": {"merchant_id": 2, "amount": "100.00", "reference": "transfer-2026-11-28"},
    "ResolutionRequest": {"line_id": 17, "reason": REASON},
    "StatementReport": {
        "statement_id": UUID,
        "form": "csv",
        "name": "november.csv",
        "digest": "8c7d5ac0" * 8,
        "period_from": "2026-11-01",
        "period_to": "2026-11-30",
        "line_count": 2,
        "created_at": MOMENT,
        "matched": {"found": 1, "resolved": 0},
        "different": {"found": 0, "resolved": 0},
        "extra": {"found": 0, "resolved": 0},
        "missing": {"found": 3, "resolved": 2},
        "other": {"found": 1, "resolved": 0},
    },
    "Withdrawal": {
        "id": WITHDRAWAL,
        "amount": "100.00",
        "state": "settled",
        "failure_code": None,
        "created_at": MOMENT,
        "finalized_at": MOMENT,
    },
}
# by what has happened
EVENTS: dict[str, JsonObject] = {
    name: {"type": name, "timestamp": MOMENT, "data": data}
    for name, data in {
        "withdrawal.pending": {**BODIES["Withdrawal"], "state": "pending", "finalized_at": None},
        "withdrawal.settled": BODIES["Withdrawal"],
        "withdrawal.failed": {**BODIES["Withdrawal"], "state": "failed", "failure_code": "account_closed"},
        "webhook.test": {"webhook_id": UUID},
    }.items()
}
# by operation and status: answers that are not as their schema's example, for it is the operation that makes them so
ANSWERS: dict[tuple[str, str], JsonObject] = {
    ("approve_a_merchant", "200"): {
        **_MERCHANT,
        "utilized_amount": "0.00",
        "available_credit": "1000.00",
        "approval_request": None,
    },
    ("approve_a_merchant", "202"): {**_PENDING_MERCHANT, "approval_request": _LIMIT_ASKED},
    ("approve_a_request", "200"): {**_LIMIT_ASKED, "state": "approved", "reason": REASON, "decided_at": MOMENT},
    ("ask_to_adjust_the_pool", "202"): {**_ASKED, "kind": "pool_adjustment", "amount": "100.00"},
    ("ask_to_end_a_withdrawal", "202"): {
        **_ASKED,
        "kind": "unknown_outcome",
        "merchant_id": 2,
        "withdrawal_id": WITHDRAWAL,
        "outcome": "paid",
        "bank_reference": "BANK-0001",
    },
    ("ask_to_resolve_a_difference", "202"): {**_ASKED, "kind": "statement_difference", "statement_line_id": 17},
    ("change_a_credit_limit", "202"): {
        **_MERCHANT,
        "credit_limit": "500.00",
        "available_credit": "400.00",
        "approval_request": _LIMIT_ASKED,
    },
    ("create_an_api_key", "201"): {
        "id": "9f3a6c1e0b2d4f58",
        "name": "shop-1",
        "scopes": ["withdrawals:write"],
        "created_at": MOMENT,
        "expires_at": EXPIRY,
        "last_used_at": None,
        "previous_until": None,
        "key": "etk_9f3a6c1e0b2d4f58_EXAMPLE",
    },
    ("refuse_a_merchant", "200"): {**_PENDING_MERCHANT, "state": "refused", "state_reason": REASON},
    ("refuse_a_request", "200"): {**_LIMIT_ASKED, "state": "refused", "reason": REASON, "decided_at": MOMENT},
    ("register", "201"): _PENDING_MERCHANT,
    ("suspend_a_merchant", "200"): {**_MERCHANT, "state": "suspended", "state_reason": REASON},
    ("test_a_webhook", "202"): {
        **_DELIVERY,
        "event_id": f"test_{UUID}",
        "type": "webhook.test",
        "withdrawal_id": None,
        "state": "pending",
        "attempts": 0,
        "next_attempt_at": MOMENT,
        "finished_at": None,
    },
}
