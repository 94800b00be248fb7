"""The answers of core's internal API (docs/api/core-internal.json). Amounts are decimal strings."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Members that are not known here are passed over: core may be newer."""

    model_config = ConfigDict(frozen=True)


class OpenApproval(Answer):
    approval_id: str
    credit_limit: str
    created_at: str


class Drift(Answer):
    field: str
    expected: str
    actual: str
    corrected: bool
    detail: str


class KeptMerchant(Answer):
    """The merchant as it is, and how it differs from the wish."""

    merchant_id: int | None
    username: str
    state: str | None
    state_reason: str
    credit_limit: str | None
    utilized_amount: str | None
    available_credit: str | None
    pending_amount: str
    has_credentials: bool
    approval_request: OpenApproval | None
    drift: list[Drift]
    released: bool
    waits_for: list[str]


class KeptTopUp(Answer):
    top_up_id: str
    amount: str
    applied_at: str
    first: bool


class PoolAmounts(Answer):
    available_amount: str
    reserved_amount: str
    settled_amount: str
    funded_amount: str
