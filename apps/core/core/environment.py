"""Core's settings from the environment: the only place that reads it."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from etebar_common.environment import Profile, Secret32, SslMode, TracedEnvironment, load
from etebar_common.money import parse_amount

Network = IPv4Network | IPv6Network


def _comma_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _networks(values: list[str]) -> list[str]:
    for value in values:
        ip_network(value)
    return values


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"is no time zone: expected a name such as Asia/Tehran, not {name!r}") from error


def _threshold(value: object) -> object:
    return parse_amount(value, allow_zero=True) if isinstance(value, str) and value else None


def _begins_with(*schemes: str) -> Callable[[str], str]:
    def check(url: str) -> str:
        # the URL is not shown: it may hold a password
        if not url.startswith(schemes):
            raise ValueError(f"must begin with {', '.join(schemes[:-1])} or {schemes[-1]}")
        return url

    return check


def _with_password(url: str, password: str) -> str:
    """A Redis URL that names a password: its own, or the given one."""
    parts = urlsplit(url)
    if parts.password or parts.scheme not in {"redis", "rediss"}:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}").geturl()


CommaList = Annotated[list[str], BeforeValidator(_comma_list)]
RedisUrl = Annotated[str, AfterValidator(_begins_with("redis://", "rediss://", "unix://"))]
HttpUrl = Annotated[str, AfterValidator(_begins_with("http://", "https://"))]
SecretList = Annotated[tuple[Secret32, ...], BeforeValidator(_comma_list)]
Threshold = Annotated[Decimal | None, BeforeValidator(_threshold)]
RateLimit = Annotated[str, Field(pattern=r"^(off|[1-9][0-9]*/(second|minute|hour))$")]


class StaffTotp(StrEnum):
    """Of whom a second factor is asked."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    OFF = "off"


class CoreEnvironment(TracedEnvironment):
    """Names are the environment variables in lower case; durations carry their unit."""

    secret_key: Secret32
    """Signs Django's sessions and forms."""

    jwt_signing_key: Secret32
    """Signs access and refresh tokens. To replace it: docs/runbooks/rotate-jwt-key.md."""

    jwt_signing_keys_previous: SecretList = ()
    """Keys that verify tokens as well, by commas: those that signed before, and one that is about to."""

    account_fingerprint_key: Secret32
    """Keys the fingerprints of bank accounts and the digests of requests. The same as settlement's; never changed."""

    account_encryption_key: Secret32
    """Encrypts account numbers at rest. To replace it: docs/runbooks/rotate-account-key.md."""

    account_encryption_keys_previous: SecretList = ()
    """Keys that decrypt them as well, by commas."""

    accounts_also_in_clear: bool = False
    """Whether account numbers are written unencrypted as well: while one runs that reads no others (UPGRADING.md)."""

    internal_token: Secret32
    """Sent to settlement as X-Internal-Token."""

    debug: bool = False
    """Django's debug mode; refused in production."""

    allowed_hosts: CommaList = Field(default_factory=lambda: ["localhost", "127.0.0.1"])
    """The Host names that are answered."""

    csrf_trusted_origins: CommaList = Field(default_factory=list)
    """Origins that may post to the admin, such as `https://admin.example.com`."""

    trusted_proxies: Annotated[CommaList, AfterValidator(_networks)] = Field(default_factory=list)
    """Networks whose X-Forwarded-For is believed. Without any, the peer's address counts."""

    calendar_time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Where days begin: of statements, and of what the console shows; a name such as `Asia/Tehran`."""

    static_root: Path | None = None
    """Where `collectstatic` puts the admin's files; without it they are served from the packages."""

    web_threads: int = Field(default=32, gt=0)
    """How many requests one process works on at once, beside withdrawals, which need no thread while they wait."""

    password_hashes_at_once: int = Field(default=2, gt=0, le=16)
    """How many passwords one process hashes at a time, each with 19 MiB and one CPU. More wait, or are answered 503."""

    request_body_limit_bytes: int = Field(default=64 * 1024, gt=0)
    """A larger body is answered 413."""

    request_body_deadline_seconds: float = Field(default=20.0, gt=0)
    """A body that takes longer to come is answered 408; the server itself gives headers 30 seconds."""

    bulk_body_limit_bytes: int = Field(default=512 * 1024, gt=0)
    """The same for a bulk of withdrawals."""

    bank_statement_limit_bytes: int = Field(default=4 * 1024 * 1024, gt=0)
    """How large a bank statement may be. By the API it is sent as JSON, which must be no larger either."""

    db_host: str = "127.0.0.1"
    """PostgreSQL, or PgBouncer before it."""

    db_port: int = 5432
    """Its port. Migrations and tests go to PostgreSQL itself."""

    db_name: str = "walletdb"
    """Core's database."""

    db_user: str = "wallet_app"
    """The application's role."""

    db_password: SecretStr = SecretStr("")
    """Its password."""

    db_owner_user: str = "wallet"
    """The role that owns the tables; used by `manage.py migrate` and `test` when DB_OWNER_PASSWORD is set."""

    db_owner_password: SecretStr | None = None
    """Its password."""

    db_sslmode: SslMode = SslMode.PREFER
    """How TLS is used with the database."""

    db_sslrootcert: Path | None = None
    """The authorities that `verify-ca` and `verify-full` believe."""

    db_connect_timeout_seconds: int = Field(default=3, gt=0)
    """How long a connection may take to be made."""

    conn_max_age_seconds: int = Field(default=300, ge=0, validation_alias="conn_max_age")
    """How many seconds a connection is kept between requests; 0 closes it after each."""

    redis_url: RedisUrl = Field(default="redis://127.0.0.1:6379/0", repr=False)
    """Rate limits, and Celery's broker unless CELERY_BROKER_URL is set."""

    celery_broker_url: RedisUrl = Field(default="", repr=False)
    """Celery's broker, when it is not REDIS_URL."""

    redis_password: SecretStr | None = None
    """Their password, where the URLs have none."""

    settlement_url: HttpUrl = "http://127.0.0.1:9000"
    """Settlement's address."""

    settle_deadline_seconds: float = Field(default=3.0, gt=0, le=30)
    """How long a withdrawal waits for its outcome before it is answered 202 (503 when nothing is reserved by then)."""

    settlement_connections: int = Field(default=32, gt=0)
    """Connections to settlement that one process keeps, each with one batch in flight."""

    reserve_connections: int = Field(default=1, gt=0, le=8)
    """The gate before the credit pool: how many transactions of one process may reserve at the same time."""

    confirm_connections: int = Field(default=1, gt=0, le=8)
    """How many transactions of one process may confirm at the same time."""

    sign_of_life_file: Path | None = None
    """Worker and beat touch it while they turn (`python -m core.sign_of_life` looks at it)."""

    admin_enabled: bool = True
    """Whether `/admin` is served at all; the API for staff always is."""

    staff_totp: StaffTotp = StaffTotp.REQUIRED
    """Whether staff log in with a code of their second factor: `required` (in production unless it is said), `optional`
    (who has enrolled), or `off` (in the other profiles unless it is said)."""

    admin_username: str = ""
    """The first member of staff, whom `manage.py ensure_admin` makes."""

    admin_password: SecretStr | None = None
    """The password that they get; never changed later."""

    operator_token: Secret32 | None = None
    """What the onboarding operator shows to core's internal API; needed by `core.internal_wsgi` only."""

    operator_token_next: Secret32 | None = None
    """Accepted beside it while it is replaced."""

    pool_low_water_mark: Threshold = None
    """The credit pool is told to be low while less than this amount is available; empty for never."""

    internal_token_rotated_at_file: Path | None = None
    """A file with the time (RFC 3339) at which INTERNAL_TOKEN was made; its age is a metric where the file is there."""

    credit_limit_approval_threshold: Threshold = None
    """A limit raised above this amount takes two people; empty for none."""

    dispatch_interval_seconds: float = Field(default=1.0, gt=0)
    """How often beat has the dispatcher look for pending withdrawals that are due."""

    dispatch_batch_size: int = Field(default=100, gt=0, le=1000)
    """How many withdrawals the dispatcher takes at a time."""

    dispatch_backoff_base_seconds: float = Field(default=1.0, gt=0)
    """The longest wait after the first question without an outcome; it doubles each time."""

    dispatch_backoff_cap_seconds: float = Field(default=300.0, gt=0)
    """The longest wait between two questions."""

    unknown_outcome_budget_seconds: int = Field(default=900, gt=0)
    """A withdrawal pending for longer is flagged for staff; it stays pending."""

    verify_books_interval_seconds: float = Field(default=300.0, gt=0)
    """How often beat has the books compared."""

    verify_books_window_hours: int = Field(default=24, gt=0)
    """How far back that comparison goes in settlement's payouts; the command compares all."""

    request_log_retention_days: int = Field(default=90, ge=0)
    """How long rows of the request log are kept; 0 for ever. Money, withdrawals and keys always are."""

    webhook_allowed_networks: Annotated[CommaList, AfterValidator(_networks)] = Field(default_factory=list)
    """Networks that webhooks may go to although they are not public, such as that of receivers in the same cluster."""

    webhook_ca_file: Path | None = None
    """The authorities that receivers' certificates are checked with; without it, those of the system."""

    webhook_timeout_seconds: float = Field(default=10.0, gt=0, le=30)
    """How long a receiver has to answer."""

    webhook_attempts: int = Field(default=17, gt=0, le=100)
    """How often a delivery is tried before it is dead; with the waits below for most of a day."""

    webhook_backoff_base_seconds: float = Field(default=5.0, gt=0)
    """The longest wait after the first attempt that failed; it doubles each time."""

    webhook_backoff_cap_seconds: float = Field(default=14400.0, gt=0)
    """The longest wait between two attempts, whatever Retry-After says."""

    webhook_disable_after_hours: int = Field(default=120, gt=0)
    """An endpoint at which every attempt failed for as long is disabled."""

    webhook_secret_overlap_hours: int = Field(default=24, ge=0)
    """How long the secret before signs beside the one that took its place."""

    webhook_endpoints_per_merchant: int = Field(default=10, gt=0)
    """How many webhooks a merchant may have."""

    webhook_concurrency: int = Field(default=32, gt=0, le=256)
    """How many deliveries one deliverer has on their way at once."""

    webhook_concurrency_per_endpoint: int = Field(default=8, gt=0)
    """How many of them to one endpoint."""

    webhook_merchant_share: float = Field(default=0.25, gt=0, le=1)
    """The part of them that a merchant may have; more only while as much again stays free for the others."""

    webhook_interval_seconds: float = Field(default=0.5, gt=0)
    """How often a deliverer looks for what is due, when nothing is on its way."""

    webhook_log_retention_days: int = Field(default=30, gt=0)
    """How long deliveries that ended are kept in the log."""

    access_token_minutes: int = Field(default=30, gt=0)
    """How long an access token is good."""

    refresh_token_hours: int = Field(default=24, gt=0)
    """How long a refresh token is good."""

    refresh_grace_seconds: int = Field(default=30, ge=0, le=300)
    """How long a spent refresh token is answered with the same new one again; later its whole family is revoked."""

    rate_limit_merchant: RateLimit = "6000/minute"
    """Requests with a token, per account: `off`, or a number per `second`, `minute` or `hour`."""

    rate_limit_address: RateLimit = "12000/minute"
    """Requests per address, except log-ins and registrations; the same form."""

    rate_limit_token: RateLimit = "10/minute"  # noqa: S105 - a limit
    """Failed attempts to log in, per address (of IPv6: per /64), and per address and account; the same form."""

    rate_limit_token_account: RateLimit = "100/hour"  # noqa: S105 - a limit
    """Failed attempts per account from all addresses that have not logged in to it before; the same form."""

    rate_limit_register: RateLimit = "30/hour"
    """Registrations per address; the same form."""

    @model_validator(mode="before")
    @classmethod
    def _redis_urls_have_their_password(cls, given: dict[str, Any]) -> dict[str, Any]:
        password = given.get("redis_password")
        urls = {name: given[name] for name in ("redis_url", "celery_broker_url") if name in given}
        return given | {name: _with_password(url, password) for name, url in urls.items()} if password else given

    @model_validator(mode="before")
    @classmethod
    def _second_factor_is_the_profiles(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("staff_totp"):
            return given
        is_production = given.get("etebar_profile", Profile.PRODUCTION) == Profile.PRODUCTION
        return given | {"staff_totp": StaffTotp.REQUIRED if is_production else StaffTotp.OFF}

    @model_validator(mode="after")
    def _production_is_not_debugged(self) -> Self:
        if self.debug and self.etebar_profile is Profile.PRODUCTION:
            raise ValueError("DEBUG must be off when ETEBAR_PROFILE is production")
        return self

    @property
    def broker_url(self) -> str:
        """Celery's broker: CELERY_BROKER_URL, or Redis' URL."""
        url = self.celery_broker_url or self.redis_url
        if not url.startswith("unix://"):
            return url
        # Celery has other names for the parts of a Unix socket's URL
        return url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)

    @property
    def database_url(self) -> str:
        """The DSN that tools like psql take, without the password."""
        return f"postgresql://{quote(self.db_user)}@{self.db_host}:{self.db_port}/{self.db_name}"


ENVIRONMENT = load(CoreEnvironment, "core")
