"""Makes OpenAPI 3.1 documents tell what values look like: an example of each member, and each problem by its code."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from etebar_common.bank_account import mask_account
from etebar_common.problems import MEDIA_TYPE, InsufficientCredit, Problem, registry

JsonObject = dict[str, Any]

CONFLICT, CONFLICTS = "409", "x-conflicts"
PROBLEM = "#/components/schemas/Problem"
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds until it is worth asking again.",
        "schema": {"type": "integer"},
        "example": 1,
    }
}
# answers that say when to come back
COME_BACK = (429, 503)

_MOMENT, _DAY = "2026-11-28T09:30:00.123456Z", "2026-11-28"
_WITHDRAWAL, _UUID = "01a2092f-193a-76b5-9b2a-e1108a2c585b", "3f0e8a0f-0d53-4a43-9d53-0a3f5d1e7f10"
_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoyfQ.c2lnbmF0dXJl"  # noqa: S105 - nobody's
_REASON = "a telephone call of 28 November"
_ACCOUNT = "IRTEST0000000000001"

# by a member's name, or by its schema's and its own where a name means several things
EXAMPLES: JsonObject = {
    "Idempotency-Key": "8d2022f5-a49d-4d4a-a5f5-ac2e2453f58a",
    "ApiKey.id": "9f3a6c1e0b2d4f58",
    "Delivery.id": 1207,
    "DeliveryLog.id": 1207,
    "BulkCreateRequest.withdrawals": [{"idempotency_key": "order-1001", "amount": "100.00"}],
    "BulkResult.body": {"id": _WITHDRAWAL, "amount": "100.00", "state": "settled"},
    "FieldError.detail": "expected an amount such as 1.00",
    "FieldError.field": "amount",
    "Health.status": "ok",
    "Key.method": "POST",
    "Merchant.bank_account": mask_account(_ACCOUNT),
    "MerchantLimit.bank_account": mask_account(_ACCOUNT),
    "NewApiKey.id": "9f3a6c1e0b2d4f58",
    "NewApiKey.key": "etk_9f3a6c1e0b2d4f58_EXAMPLE",
    "PayoutBody.reference": "SANDBOX-8D2022F5",
    "RepaymentRequest.statement_line_id": 17,
    "TestEvent.type": "webhook.test",
    "WithdrawalEvent.type": "withdrawal.settled",
    **{f"Problem.{name}": value for name, value in InsufficientCredit().body().items()},
    "Statement.name": "november.csv",
    "StatementImported.name": "november.csv",
    "StatementReport.name": "november.csv",
    "StatementImportRequest.name": "november.csv",
    "access": _TOKEN,
    "account": _ACCOUNT,
    "account_fingerprint": "8c7d5ac0" * 8,
    "account_id": _UUID,
    "account_masked": mask_account(_ACCOUNT),
    "actual": "500.00",
    "adjusted_amount": "0.00",
    "amount": "100.00",
    "amount_from": "1.00",
    "amount_to": "1000.00",
    "answer_status": 201,
    "applied_at": _MOMENT,
    "approval_id": _UUID,
    "at": _MOMENT,
    "attempts": 1,
    "available_amount": "9900.00",
    "available_credit": "900.00",
    "balance_after": "100.00",
    "bank_account": _ACCOUNT,
    "bank_reference": "BANK-0001",
    "booked_on": _DAY,
    "content": "LINES OF THE FILE",
    "count": 12,
    "created_at": _MOMENT,
    "created_from": "2026-11-01T00:00:00Z",
    "created_to": "2026-12-01T00:00:00Z",
    "credentials_version": 1,
    "credit_limit": "1000.00",
    "cursor": f"w{_WITHDRAWAL}",
    "dead": 0,
    "deadline_ms": 5000,
    "decided_at": _MOMENT,
    "delivery_id": 1207,
    "description": "orders",
    "detail": "100.00 is more than the available 50.00",
    "differs": ["amount"],
    "digest": "8c7d5ac0" * 8,
    "duration_ms": 38,
    "endpoint_id": _UUID,
    "error": "",
    "event_id": f"wd_{_WITHDRAWAL}_settled",
    "evidence": "BANK-0001",
    "expected": "1000.00",
    "expires_at": "2027-11-28T00:00:00Z",
    "failing_since": None,
    "failure_code": None,
    "finalized_at": _MOMENT,
    "finished_at": _MOMENT,
    "found": 3,
    "funded_amount": "10000.00",
    "generation": 1,
    "grounds": _REASON,
    "id": _WITHDRAWAL,
    "idempotency_key": "order-1001",
    "key": "order-1001",
    "key_id": "9f3a6c1e0b2d4f58",
    "last_used_at": _MOMENT,
    "limit": 50,
    "line_count": 120,
    "line_id": 17,
    "merchant_id": 2,
    "month": 11,
    "name": "shop-1",
    "namespace": "shops",
    "new_lines": 120,
    "next": None,
    "next_cursor": None,
    "next_attempt_at": None,
    "number": 42,
    "occurred_at": _MOMENT,
    "otp": "123456",
    "overlap_hours": 24,
    "password": "a long sentence that nobody guesses",
    "path": "/api/v1/withdrawals",
    "payouts_cleared": 3,
    "pending": 0,
    "pending_amount": "0.00",
    "period_from": "2026-11-01",
    "period_to": "2026-11-30",
    "Prefer": "respond-async",
    "previous_secret_until": None,
    "previous_until": None,
    "rail": "sandbox",
    "reason": _REASON,
    "reference": "transfer-2026-11-28",
    "refresh": _TOKEN,
    "refused": 0,
    "repayment_id": _UUID,
    "replayed": 3,
    "requested_credit": "1000.00",
    "requested_for": "",
    "reserved_amount": "0.00",
    "resolved": 3,
    "reversal_reason": "",
    "reversed_at": None,
    "secrets": ["whsec_RVhBTVBMRSBFWEFNUExFIEVYQU1QTEUhISE="],
    "settled": 1,
    "settled_amount": "100.00",
    "state_reason": "",
    "statement_id": _UUID,
    "statement_line_id": None,
    "status": 200,
    "timestamp": _MOMENT,
    "time_zone": "Asia/Tehran",
    "token": _TOKEN,
    "top_up_id": _UUID,
    "transaction_id": _WITHDRAWAL,
    "uid": _UUID,
    "unknown": 0,
    "url": "https://shop.example/etebar",
    "used": "100.00",
    "username": "shop-1",
    "utilized_amount": "100.00",
    "waits_for": [],
    "wallet_account_id": _UUID,
    "webhook_id": _UUID,
    "withdrawal_amount": "100.00",
    "withdrawal_id": _WITHDRAWAL,
    "withdrawal_ids": [_WITHDRAWAL],
    "withdrawal_state": "settled",
    "year": 2026,
}


def add_examples(document: JsonObject) -> JsonObject:
    """An example for every member and parameter that `EXAMPLES` knows and that does not tell itself."""
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        for member, told in schema.get("properties", {}).items():
            _add(told, f"{name}.{member}", member)
    for operation in operations(document):
        for parameter in operation.get("parameters", []):
            _add(parameter["schema"], parameter["name"], parameter["name"])
    return document


def needs_example(schema: JsonObject) -> bool:
    """Whether only an example says what a value looks like, and not its schema: a choice, or members of its own."""
    return not any(_tells_itself(each) for each in (schema, schema.get("items", {})))


def _tells_itself(schema: JsonObject) -> bool:
    alternatives = [each for kind in ("allOf", "anyOf", "oneOf") for each in schema.get(kind, [])]
    return (
        "boolean" in schema.get("type", [])
        or bool({"enum", "const", "properties", "$ref"} & schema.keys())
        or any("$ref" in each for each in alternatives)
    )


def _add(schema: JsonObject, *names: str) -> None:
    known = [EXAMPLES[name] for name in names if name in EXAMPLES]
    if known and needs_example(schema) and not {"example", "examples"} & schema.keys():
        schema["examples"] = known[:1]


def operations(document: JsonObject) -> Iterator[JsonObject]:
    """Every operation of a document."""
    for methods in document["paths"].values():
        yield from (each for method, each in methods.items() if method != "parameters")


def share_problems(document: JsonObject, *, without: Collection[type[Problem]] = ()) -> JsonObject:
    """Says each status' problems once, what each code means and looks like; operations refer to it, or say their own.

    An operation's own are codes under `CONFLICTS`, which this takes out; none answers with those of `without`.
    """
    known: dict[str, list[type[Problem]]] = defaultdict(list)
    for problem in registry():
        if problem not in without:
            known[str(problem.status)].append(problem)
    shared = document["components"].setdefault("responses", {})
    for operation in operations(document):
        own = operation.pop(CONFLICTS, None)
        responses = operation["responses"]
        for status in [each for each in responses if MEDIA_TYPE in responses[each].get("content", {})]:
            name = f"Problem{status}"
            if own and status == CONFLICT:
                responses[status] = problem_response([each for each in known[status] if each.code in own])
                continue
            if name not in shared:
                shared[name] = problem_response(known[status])
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    return document


def problem_response(known: Sequence[type[Problem]]) -> JsonObject:
    """The response that one of these problems of the same status is."""
    schema = {"allOf": [{"$ref": PROBLEM}, {"properties": {"code": {"enum": [each.code for each in known]}}}]}
    examples = {
        each.code: {"summary": each.title, "description": each.remedy, "value": each().body()} for each in known
    }
    response: JsonObject = {
        "description": "`code` is " + " or ".join(f"`{each.code}`" for each in known),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
    }
    return response | {"headers": RETRY_AFTER} if known[0].status in COME_BACK else response
