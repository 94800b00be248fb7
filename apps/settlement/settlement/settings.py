"""Settlement's settings, all from the environment (etebar_common.environment)."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, ValidationInfo, field_validator

from etebar_common.environment import Environment, Profile, Secret32, SslMode, TracedEnvironment

SERVICE = "settlement"


class RailName(StrEnum):
    SANDBOX = "sandbox"
    HTTP = "http"


class DatabaseSettings(Environment):
    """How to reach settlementdb; all that a migration needs."""

    db_host: str = "127.0.0.1"
    """PostgreSQL."""

    db_port: Annotated[int, Field(ge=1, le=65535)] = 5432
    """Its port."""

    db_name: str = "settlementdb"
    """Settlement's database."""

    db_user: str = "settlement_app"
    """The application's role; for `alembic upgrade head` the owner, `settlement`."""

    db_password: SecretStr = SecretStr("")
    """Its password."""

    db_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    """How long a connection or a statement may take."""

    db_sslmode: SslMode = SslMode.PREFER
    """How TLS is used with the database."""

    db_sslrootcert: Path | None = None
    """The authorities that `verify-ca` and `verify-full` believe."""

    @property
    def tls_options(self) -> dict[str, str]:
        """`sslmode` and `sslrootcert`, as in a libpq URL."""
        root = {"sslrootcert": str(self.db_sslrootcert)} if self.db_sslrootcert else {}
        return {"sslmode": self.db_sslmode.value} | root


class Settings(DatabaseSettings, TracedEnvironment):
    """What the service needs to run. Two internal tokens are valid at once, so that they can be rotated."""

    internal_token: Secret32
    """What callers must send as X-Internal-Token."""

    internal_token_next: Secret32 | None = None
    """A second token that is accepted as well, while the first is replaced."""

    account_fingerprint_key: Secret32
    """Keys the fingerprints of bank accounts. The same as core's; never changed."""

    db_pool_size: Annotated[int, Field(ge=1, le=100)] = 10
    """The most connections to the database."""

    rail: Annotated[RailName, Field(validate_default=True)] = RailName.SANDBOX
    """Who moves the money: the bank in the process, or one behind HTTP. Production refuses `sandbox`."""

    bank_url: Annotated[HttpUrl | None, Field(validate_default=True)] = None
    """The bank's API (docs/settlement-bank-api.md); `RAIL=http` needs it."""

    bank_token: Annotated[SecretStr | None, Field(validate_default=True)] = None
    """Sent to the bank as a Bearer token; `RAIL=http` needs it."""

    bank_currency: Annotated[str | None, Field(pattern=r"^[A-Z]{3}$")] = None
    """Sent with each order when set: ISO 4217, such as `IRR`."""

    bank_timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 10.0
    """How long the bank may take to answer; later is an unknown outcome."""

    sandbox_slow_seconds: Annotated[float, Field(ge=0, le=60)] = 3.0
    """How long the sandbox bank takes for IRTESTSLOW accounts."""

    withdraw_deadline_ms: Annotated[int, Field(ge=1, le=30_000)] = 2000
    """When a single order is answered 202 if its outcome is not known. Core's batches bring their own deadline."""

    shutdown_grace_seconds: Annotated[float, Field(ge=0, le=300)] = 15.0
    """How long payouts under way are waited for at shutdown; what is left stays pending."""

    @field_validator("rail")
    @classmethod
    def _real_money_needs_a_real_rail(cls, rail: RailName, info: ValidationInfo) -> RailName:
        if rail is RailName.SANDBOX and info.data.get("etebar_profile") is Profile.PRODUCTION:
            raise ValueError("sandbox pays nobody and is refused under ETEBAR_PROFILE=production; use http")
        return rail

    @field_validator("bank_url", "bank_token")
    @classmethod
    def _the_http_rail_needs_a_bank(cls, value: object, info: ValidationInfo) -> object:
        if value is None and info.data.get("rail") is RailName.HTTP:
            raise ValueError("is missing; RAIL=http needs it")
        return value

    @property
    def lease_seconds(self) -> float:
        """How long a claim holds: longer than one status question, one payment and one write can take."""
        return 2 * self.bank_timeout_seconds + 2 * self.db_timeout_seconds

    @property
    def direct_tests_allowed(self) -> bool:
        """Whether a payout may come without a withdrawal id: never where money could be real."""
        return self.etebar_profile.is_sandboxed and self.rail is RailName.SANDBOX

    @property
    def fingerprint_key(self) -> bytes:
        return self.account_fingerprint_key.get_secret_value().encode()
