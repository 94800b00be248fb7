"""Core's settings from the environment: the only place that reads it."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from etebar_common.environment import Environment, Profile, Secret32, load

Network = IPv4Network | IPv6Network


def _comma_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _networks(values: list[str]) -> list[str]:
    for value in values:
        ip_network(value)
    return values


CommaList = Annotated[list[str], BeforeValidator(_comma_list)]
RateLimit = Annotated[str, Field(pattern=r"^(off|[1-9][0-9]*/(second|minute|hour))$")]


class CoreEnvironment(Environment):
    """Names are the environment variables in lower case; durations carry their unit."""

    secret_key: Secret32
    jwt_signing_key: Secret32
    account_fingerprint_key: Secret32
    internal_token: Secret32

    debug: bool = False
    allowed_hosts: CommaList = Field(default_factory=lambda: ["localhost", "127.0.0.1"])
    csrf_trusted_origins: CommaList = Field(default_factory=list)
    trusted_proxies: Annotated[CommaList, AfterValidator(_networks)] = Field(default_factory=list)
    static_root: Path | None = None
    request_body_limit_bytes: int = Field(default=64 * 1024, gt=0)

    db_host: str = "127.0.0.1"
    db_port: int = 5432
    db_name: str = "walletdb"
    db_user: str = "wallet_app"
    db_password: SecretStr = SecretStr("")
    db_owner_user: str = "wallet"
    db_owner_password: SecretStr | None = None
    db_connect_timeout_seconds: int = Field(default=3, gt=0)
    conn_max_age_seconds: int = Field(default=300, ge=0, validation_alias="conn_max_age")

    redis_url: str = "redis://127.0.0.1:6379/0"
    celery_broker_url: str = ""

    settlement_url: str = "http://127.0.0.1:9000"
    settle_deadline_seconds: float = Field(default=3.0, gt=0, le=30)
    settlement_connections: int = Field(default=32, gt=0)

    dispatch_interval_seconds: float = Field(default=1.0, gt=0)
    dispatch_batch_size: int = Field(default=100, gt=0, le=1000)
    dispatch_backoff_base_seconds: float = Field(default=1.0, gt=0)
    dispatch_backoff_cap_seconds: float = Field(default=300.0, gt=0)
    unknown_outcome_budget_seconds: int = Field(default=900, gt=0)
    verify_books_interval_seconds: float = Field(default=300.0, gt=0)
    verify_books_window_hours: int = Field(default=24, gt=0)

    access_token_minutes: int = Field(default=30, gt=0)
    refresh_token_hours: int = Field(default=24, gt=0)
    rate_limit_merchant: RateLimit = "6000/minute"
    rate_limit_address: RateLimit = "12000/minute"
    rate_limit_token: RateLimit = "10/minute"  # noqa: S105 - a limit
    rate_limit_register: RateLimit = "30/hour"

    @model_validator(mode="after")
    def _production_is_not_debugged(self) -> Self:
        if self.debug and self.etebar_profile is Profile.PRODUCTION:
            raise ValueError("DEBUG must be off when ETEBAR_PROFILE is production")
        return self

    @property
    def broker_url(self) -> str:
        """Celery's broker: CELERY_BROKER_URL, or Redis' URL."""
        return self.celery_broker_url or self.redis_url

    @property
    def database_url(self) -> str:
        """The DSN that tools like psql take, without the password."""
        return f"postgresql://{quote(self.db_user)}@{self.db_host}:{self.db_port}/{self.db_name}"


ENVIRONMENT = load(CoreEnvironment, "core")
