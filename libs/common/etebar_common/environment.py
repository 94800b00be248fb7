"""Settings from the environment, typed, in one place per service; a wrong one is refused with one clear line each.

A secret `NAME` may be given as a file by `NAME_FILE`, as Kubernetes and Docker mount secrets.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

Secret32 = Annotated[SecretStr, Field(min_length=32)]


class Profile(StrEnum):
    """What an installation is for; recorded in the database by the first migration and never loosened after."""

    PRODUCTION = "production"
    SANDBOX = "sandbox"
    TEST = "test"

    @property
    def is_sandboxed(self) -> bool:
        """Whether no real money can be meant: test accounts, short passwords and clearing are allowed."""
        return self is not Profile.PRODUCTION


class LogLevel(StrEnum):
    """The levels of Python's logging."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class SslMode(StrEnum):
    """How TLS is used with PostgreSQL, by libpq's names."""

    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


class Environment(BaseModel):
    """Base of each service's settings; a field is set by the variable of its name, or of its alias, in capitals.

    The text below a field is its line in docs/how-to/settings.md.
    """

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    etebar_profile: Profile = Profile.PRODUCTION
    """What the installation is for. Must be the profile that the database was migrated for."""

    etebar_version: str = ""
    """What runs, such as an image's tag, as metrics tell it; empty for the package's own version."""

    log_level: Annotated[LogLevel, BeforeValidator(_upper)] = LogLevel.INFO
    """The least level that is logged; capitals or not."""

    draining_file: Path | None = None
    """While this file exists, /readyz answers 503, so that no new caller is sent here; all else is served on."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Where Prometheus finds this process's metrics; 0 for nowhere. Processes of one server take the ports after it."""

    crash_point_file: Path | None = None
    """The file that arms a crash point; test profile only, the others refuse to start with it."""

    def begin_serving(self) -> None:
        """Removes a DRAINING_FILE that an earlier process left: a container that is restarted has its volumes still."""
        if self.draining_file is not None:
            self.draining_file.unlink(missing_ok=True)

    @property
    def is_draining(self) -> bool:
        """Whether this process is to end soon."""
        return self.draining_file is not None and self.draining_file.exists()


def _http(url: str) -> str:
    # the URL is not shown: it may hold a password
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return url.rstrip("/")


class TracedEnvironment(Environment):
    """Of the services that make traces (`etebar_common.tracing`)."""

    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(_http)] = ""
    """Where traces are sent, by OTLP over HTTP, such as `http://collector:4318`. Without it there are no traces."""

    otel_traces_sample_ratio: float = Field(default=1.0, ge=0, le=1)
    """The share of traces that is recorded; of those that begin elsewhere, whoever began them decides."""


E_ = TypeVar("E_", bound=Environment)


def load(kind: type[E_], service: str, environ: Mapping[str, str] = os.environ) -> E_:
    """The settings of `service`; raises SystemExit with one line per setting that is missing or wrong."""
    problems: list[str] = []
    values = _with_files(environ, {name.upper() for name in kind.model_fields}, problems)
    names = [str(field.validation_alias or name) for name, field in kind.model_fields.items()]
    known = {name: values[name.upper()] for name in names if values.get(name.upper())}
    try:
        settings = kind.model_validate(known)
    except ValidationError as error:
        problems += [_line(item) for item in error.errors()]
    if problems:
        raise SystemExit("\n".join([f"{service} does not start, its settings are not right:", *problems]))
    return settings


def _with_files(environ: Mapping[str, str], names: set[str], problems: list[str]) -> dict[str, str]:
    values = dict(environ)
    for name, path in environ.items():
        target = name.removesuffix("_FILE")
        # Only our own settings: the environment holds other programs' *_FILE variables too.
        if target == name or target not in names:
            continue
        try:
            values.setdefault(target, Path(path).read_text().strip())
        except OSError as error:
            problems.append(f"  {name}: {path} cannot be read ({error.strerror})")
    return values


def _line(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"]).upper() or "settings"
    match item["type"]:
        case "missing":
            return f"  {name} is missing"
        case "too_short":
            return f"  {name} is too short: at least {item['ctx']['min_length']} characters are needed"
        case "value_error":
            return f"  {name}: {item['ctx']['error']}"
        case _:
            return f"  {name}: {item['msg']}"
