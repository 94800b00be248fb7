"""Makes OpenAPI 3.1 documents tell what values look like: an example of each member, and each problem by its code."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from etebar_common.bank_account import mask_account
from etebar_common.openapi_bodies import (
    ACCOUNT,
    ANSWERS,
    BANK_STATEMENT,
    BODIES,
    DAY,
    EVENTS,
    EXPIRY,
    MOMENT,
    REASON,
    UUID,
    WITHDRAWAL,
    JsonObject,
)
from etebar_common.problems import MEDIA_TYPE, InsufficientCredit, Problem, registry

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

_TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoyfQ.c2lnbmF0dXJl"  # noqa: S105 - nobody's

# by a member's name, or by its schema's and its own where a name means several things
EXAMPLES: JsonObject = {
    "Idempotency-Key": "8d2022f5-a49d-4d4a-a5f5-ac2e2453f58a",
    "ApiKey.id": "9f3a6c1e0b2d4f58",
    "Delivery.id": 1207,
    "DeliveryLog.id": 1207,
    "BulkCreateRequest.withdrawals": [{"idempotency_key": "order-1001", "amount": "100.00"}],
    "BulkResult.body": {"id": WITHDRAWAL, "amount": "100.00", "state": "settled"},
    "FieldError.detail": "expected an amount such as 1.00",
    "FieldError.field": "amount",
    "Health.status": "ok",
    "Key.method": "POST",
    "Merchant.bank_account": mask_account(ACCOUNT),
    "MerchantLimit.bank_account": mask_account(ACCOUNT),
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
    "account": ACCOUNT,
    "account_fingerprint": "8c7d5ac0" * 8,
    "account_id": UUID,
    "account_masked": mask_account(ACCOUNT),
    "actual": "500.00",
    "adjusted_amount": "0.00",
    "amount": "100.00",
    "amount_from": "1.00",
    "amount_to": "1000.00",
    "answer_status": 201,
    "applied_at": MOMENT,
    "approval_id": UUID,
    "at": MOMENT,
    "attempts": 1,
    "available_amount": "9900.00",
    "available_credit": "900.00",
    "balance_after": "100.00",
    "bank_account": ACCOUNT,
    "bank_reference": "BANK-0001",
    "booked_on": DAY,
    "content": BANK_STATEMENT,
    "count": 12,
    "created_at": MOMENT,
    "created_from": "2026-11-01T00:00:00Z",
    "created_to": "2026-12-01T00:00:00Z",
    "credentials_version": 1,
    "credit_limit": "1000.00",
    "dead": 0,
    "deadline_ms": 5000,
    "decided_at": MOMENT,
    "delivery_id": 1207,
    "description": "orders",
    "detail": "100.00 is more than the available 50.00",
    "differs": ["amount"],
    "digest": "8c7d5ac0" * 8,
    "duration_ms": 38,
    "endpoint_id": UUID,
    "error": "",
    "event_id": f"wd_{WITHDRAWAL}_settled",
    "evidence": "BANK-0001",
    "expected": "1000.00",
    "expires_at": EXPIRY,
    "failing_since": None,
    "failure_code": None,
    "finalized_at": MOMENT,
    "finished_at": MOMENT,
    "found": 3,
    "funded_amount": "10000.00",
    "generation": 1,
    "grounds": REASON,
    "id": WITHDRAWAL,
    "idempotency_key": "order-1001",
    "key": "order-1001",
    "key_id": "9f3a6c1e0b2d4f58",
    "last_used_at": MOMENT,
    "limit": 50,
    "line_count": 2,
    "line_id": 17,
    "merchant_id": 2,
    "month": 11,
    "name": "shop-1",
    "namespace": "shops",
    "new_lines": 2,
    "next": None,
    "next_cursor": None,
    "next_attempt_at": None,
    "number": 42,
    "occurred_at": MOMENT,
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
    "reason": REASON,
    "reference": "transfer-2026-11-28",
    "refresh": _TOKEN,
    "refused": 0,
    "repayment_id": UUID,
    "replaces": UUID,
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
    "statement_id": UUID,
    "statement_line_id": None,
    "status": 200,
    "timestamp": MOMENT,
    "time_zone": "Asia/Tehran",
    "token": _TOKEN,
    "top_up_id": UUID,
    "transaction_id": WITHDRAWAL,
    "uid": UUID,
    "unknown": 0,
    "url": "https://shop.example/etebar",
    "used": "100.00",
    "username": "shop-1",
    "utilized_amount": "100.00",
    "waits_for": [],
    "wallet_account_id": UUID,
    "webhook_id": UUID,
    "withdrawal_amount": "100.00",
    "withdrawal_id": WITHDRAWAL,
    "withdrawal_ids": [WITHDRAWAL],
    "withdrawal_state": "settled",
    "year": 2026,
}

# a list's next page is where `next` of its answer leads: any other cursor is answered with 404
WITHOUT_EXAMPLE = frozenset({"cursor"})


def add_examples(document: JsonObject) -> JsonObject:
    """An example for every member and parameter that does not tell itself, and whole bodies where members must agree.

    What `EXAMPLES`, `BODIES`, `EVENTS` and `ANSWERS` do not know is left as it is.
    """
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        for member, told in schema.get("properties", {}).items():
            _add(told, f"{name}.{member}", member)
        if name in BODIES:
            schema["examples"] = [BODIES[name]]
    for name, event in document.get("webhooks", {}).items():
        event["post"]["requestBody"]["content"]["application/json"]["examples"] = {"event": {"value": EVENTS[name]}}
    for operation in operations(document):
        for parameter in operation.get("parameters", []):
            _add(parameter["schema"], parameter["name"], parameter["name"])
        for status, response in operation["responses"].items():
            if answer := ANSWERS.get((operation.get("operationId", ""), status)):
                response["content"]["application/json"]["examples"] = {"answer": {"value": answer}}
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


def share_problems(
    document: JsonObject,
    *,
    without: Collection[type[Problem]] = (),
    only_at: Mapping[type[Problem], Callable[[JsonObject], bool]] | None = None,
) -> JsonObject:
    """Says each status' problems once, what each code means and looks like; operations refer to it, or say their own.

    An operation's own are codes under `CONFLICTS`, which this takes out; none answers with those of `without`, and with
    those of `only_at` only the operations that it holds for.
    """
    only_at = only_at or {}
    known: dict[str, list[type[Problem]]] = defaultdict(list)
    for problem in registry():
        if problem not in without:
            known[str(problem.status)].append(problem)
    shared = document["components"].setdefault("responses", {})
    for operation in operations(document):
        own = operation.pop(CONFLICTS, None)
        responses = operation["responses"]
        for status in [each for each in responses if MEDIA_TYPE in responses[each].get("content", {})]:
            if own and status == CONFLICT:
                responses[status] = problem_response([each for each in known[status] if each.code in own])
                continue
            told = [each for each in known[status] if each not in only_at or only_at[each](operation)]
            name = f"Problem{status}" + "".join(each.__name__ for each in told if each in only_at)
            if name not in shared:
                shared[name] = problem_response(told)
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
