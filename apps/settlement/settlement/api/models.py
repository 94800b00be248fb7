"""The shapes of requests and answers (`answers` makes these). Unknown fields are refused; amounts are strings."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from etebar_common.money import POSITIVE_AMOUNT_PATTERN, parse_amount
from settlement.payouts.records import PayoutState

MAXIMUM_BATCH = 1000
MAXIMUM_INTEGER = 2**53 - 1
"""The largest that every JSON reader takes exactly (RFC 8259, section 6)."""
ACCOUNT_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z .-]{0,63}$"
KEY_PATTERN = r"^[ -~]{1,255}$"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})\Z", re.ASCII)


def _canonical_uuid(value: object) -> object:
    """Only the form with hyphens: what goes in is what comes out and what is compared."""
    if isinstance(value, str) and not _UUID.match(value):
        raise ValueError("is not a UUID; expected 8-4-4-4-12 hexadecimal digits")
    return value


def _rfc3339(value: object) -> object:
    if isinstance(value, str) and not _INSTANT.match(value):
        raise ValueError("is not a time; expected RFC 3339 with a zone, such as 2026-01-31T12:00:00Z")
    return value


def _whole(value: object) -> object:
    """To JSON (and JSON Schema) 7.0 is the integer 7; Python reads it as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        # The first and last hours of the calendar, whose UTC form no datetime has; the bound means the same.
        return datetime.max.replace(tzinfo=UTC) if value.year > 1 else datetime.min.replace(tzinfo=UTC)


Identifier = Annotated[
    UUID, BeforeValidator(_canonical_uuid), WithJsonSchema({"type": "string", "format": "uuid"}, mode="validation")
]
Instant = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(_utc)]
AMOUNT_SCHEMA = {"type": "string", "pattern": POSITIVE_AMOUNT_PATTERN, "examples": ["1.00"]}
PositiveAmount = Annotated[Decimal, BeforeValidator(parse_amount), WithJsonSchema(AMOUNT_SCHEMA)]
AmountText = Annotated[str, WithJsonSchema(AMOUNT_SCHEMA)]
AccountNumber = Annotated[
    str,
    Field(
        pattern=ACCOUNT_PATTERN,
        description="An IBAN with a right check sum; in the sandbox and test profiles also an IRTEST account.",
        examples=["IRTEST0000000000001"],
        json_schema_extra={"format": "bank-account"},
    ),
]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Withdrawal(Strict):
    merchant_id: Annotated[int, Field(strict=True, ge=1, le=MAXIMUM_INTEGER), BeforeValidator(_whole)]
    account_id: Identifier
    amount: PositiveAmount
    account: Annotated[AccountNumber, Field(repr=False)]
    idempotency_key: Annotated[
        str | None,
        Field(pattern=KEY_PATTERN, description="The key of the merchant's request; kept, so that core can restore it."),
    ] = None


class WithdrawRequest(_Withdrawal):
    withdrawal_id: Annotated[
        Identifier | None,
        Field(
            description="The payout's identity: the same id pays once, whatever is repeated. May be left out on the "
            "sandbox rail only; one is made then, and the payout is marked direct_test."
        ),
    ] = None


class BatchMember(_Withdrawal):
    withdrawal_id: Identifier


class BatchRequest(Strict):
    deadline_ms: Annotated[
        int,
        Field(strict=True, ge=1, le=30_000, description="When all are answered; what is late is answered as pending."),
        BeforeValidator(_whole),
    ] = 2000
    withdrawals: Annotated[list[BatchMember], Field(min_length=1, max_length=MAXIMUM_BATCH)]


class OutcomeRequest(Strict):
    """What two people decided in core about a payout whose outcome nobody could tell."""

    merchant_id: Annotated[int, Field(strict=True, ge=1, le=MAXIMUM_INTEGER), BeforeValidator(_whole)]
    account_id: Identifier
    amount: PositiveAmount
    account_fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    outcome: Literal["paid", "refused"]
    evidence: Annotated[str, Field(pattern=r"^[!-~]{1,100}$", description="Core's reference of the decision.")]


class LookupRequest(Strict):
    withdrawal_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAXIMUM_BATCH)]


class WindowQuery(Strict):
    created_from: Annotated[Instant | None, Field(description="Created at or after.")] = None
    created_to: Annotated[Instant | None, Field(description="Created before.")] = None
    state: PayoutState | None = None
    cursor: Annotated[
        str | None,
        Field(description="`next_cursor` of the page before.", json_schema_extra={"format": "payout-cursor"}),
    ] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class PayoutBody(Strict):
    withdrawal_id: UUID
    merchant_id: int
    account_id: UUID
    amount: AmountText
    account_fingerprint: Annotated[str, Field(description="HMAC-SHA-256 of the account number.")]
    state: PayoutState
    reason: Annotated[str | None, Field(description="Why the bank refused.")]
    rail: str
    reference: Annotated[str, Field(description="What the bank knows the payout by.")]
    direct_test: bool
    created_at: datetime
    decided_at: datetime | None
    evidence: Annotated[str | None, Field(description="Of an outcome that people decided: core's reference of it.")]
    idempotency_key: Annotated[str | None, Field(description="The key of the merchant's request, if it came with one.")]


class BatchResult(Strict):
    withdrawal_id: UUID
    state: Literal["pending", "paid", "refused", "conflict"]
    reason: Annotated[str | None, Field(description="Why it was refused; payout_conflict for a conflict.")]
    payout: Annotated[PayoutBody | None, Field(description="Null for a conflict.")]


class BatchAnswer(Strict):
    results: list[BatchResult]


class PayoutList(Strict):
    payouts: list[PayoutBody]


class PayoutPage(PayoutList):
    next_cursor: str | None


class Cleared(Strict):
    payouts_cleared: int


class Health(Strict):
    status: Literal["ok"] = "ok"
