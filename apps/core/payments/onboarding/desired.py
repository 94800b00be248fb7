"""What a Merchant object wishes."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class DriftPolicy(StrEnum):
    CORRECT = "correct"
    REPORT = "report"


class Deletion(StrEnum):
    RETAIN = "retain"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredMerchant:
    """One version of an object; (`created_at`, `generation`) orders versions.

    `bank_account` and `password` may be None when they are not known, or not to be changed. `credentials_version`
    orders passwords: it rises with each that is issued, also within one version of the object; 0 without a password.
    """

    namespace: str
    name: str
    uid: str
    created_at: datetime
    generation: int
    username: str
    bank_account: str | None
    requested_credit: Decimal
    credit_limit: Decimal
    approved: bool
    suspended: bool
    password: str | None
    credentials_version: int
    drift_policy: DriftPolicy
    deletion: Deletion | None

    @property
    def version(self) -> tuple[datetime, int]:
        """Later ones are greater, also of an object that was deleted and made again."""
        return self.created_at, self.generation
