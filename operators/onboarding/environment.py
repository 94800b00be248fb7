"""The operator's settings from the environment: the only place that reads it."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from etebar_common.environment import Environment, Secret32, load
from etebar_common.money import parse_amount

EVERY_NAMESPACE = "*"


def _comma_list(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _amount(value: object) -> object:
    return parse_amount(value, allow_zero=True) if isinstance(value, str) else value


def _http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url.rstrip("/")


class OperatorEnvironment(Environment):
    """Names are the environment variables in lower case; durations carry their unit."""

    core_url: Annotated[str, AfterValidator(_http)] = "http://core-internal:8001"
    """Core's internal API."""

    operator_token: Secret32
    """What opens it."""

    namespace: str = Field(min_length=1)
    """The operator's own namespace, where it keeps the CreditPool `pool`."""

    watch_namespaces: Annotated[list[str], BeforeValidator(_comma_list)] = Field(default_factory=list)
    """Where it looks for objects: names with commas between them, `*` for all; empty for NAMESPACE."""

    low_water_mark: Annotated[Decimal, BeforeValidator(_amount)] = Decimal(0)
    """The CreditPool's condition LowWater is true while less than this is available."""

    resync_seconds: float = Field(default=30.0, gt=0)
    """How often each object is compared with core, beside every change of it."""

    pool_refresh_seconds: float = Field(default=15.0, gt=0)
    """How often the CreditPool's status is written."""

    core_timeout_seconds: float = Field(default=10.0, gt=0)
    """How long core may take to answer."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Where Prometheus finds the operator's metrics; 0 for nowhere."""

    liveness_port: int = Field(default=8080, ge=0, le=65535)
    """Where the kubelet asks `/healthz`; 0 for nowhere."""

    @property
    def watches_all(self) -> bool:
        """Whether objects of every namespace are kept."""
        return EVERY_NAMESPACE in self.watch_namespaces

    @property
    def namespaces(self) -> list[str]:
        """The namespaces that are watched, when not all are."""
        return self.watch_namespaces or [self.namespace]


def environment() -> OperatorEnvironment:
    """The settings; raises SystemExit with one line per setting that is missing or wrong."""
    return load(OperatorEnvironment, "operator")
