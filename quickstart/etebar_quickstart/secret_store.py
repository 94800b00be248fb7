"""The secrets of one state directory: made once, readable by their owner only."""

import dataclasses
import hashlib
import json
import os
import secrets
from pathlib import Path

from etebar_quickstart.errors import QuickstartError

FILE_NAME = "secrets.json"


def _key() -> str:
    return secrets.token_hex(32)


def _password() -> str:
    return secrets.token_hex(16)


@dataclasses.dataclass(frozen=True)
class Secrets:
    """Hexadecimal throughout, so that they need no quoting in a URL, a shell or a configuration file."""

    secret_key: str = dataclasses.field(default_factory=_key)
    jwt_signing_key: str = dataclasses.field(default_factory=_key)
    account_fingerprint_key: str = dataclasses.field(default_factory=_key)
    internal_token: str = dataclasses.field(default_factory=_key)
    postgres_password: str = dataclasses.field(default_factory=_password)
    wallet_password: str = dataclasses.field(default_factory=_password)
    wallet_app_password: str = dataclasses.field(default_factory=_password)
    settlement_password: str = dataclasses.field(default_factory=_password)
    settlement_app_password: str = dataclasses.field(default_factory=_password)
    etebar_audit_password: str = dataclasses.field(default_factory=_password)
    redis_password: str = dataclasses.field(default_factory=_password)
    admin_password: str = dataclasses.field(default_factory=_password)

    @property
    def account_encryption_key(self) -> str:
        """From another one: a state directory of before it was needed has none of its own."""
        return hashlib.sha256(f"account encryption {self.account_fingerprint_key}".encode()).hexdigest()

    def of_role(self, role: str) -> str:
        """The password of a database role."""
        return str(getattr(self, f"{role}_password"))


def load(directory: Path) -> Secrets:
    """The secrets kept in `directory`; raises QuickstartError when they cannot be read."""
    path = directory / FILE_NAME
    try:
        return Secrets(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise QuickstartError(
            f"{path} cannot be used ({error}): `make clean` starts afresh, without the data"
        ) from error


def load_or_create(directory: Path, *, data: Path) -> Secrets:
    """The secrets kept in `directory`, made now if there are none.

    New ones would not open existing `data`, so that its presence without secrets is an error.
    """
    path = directory / FILE_NAME
    if path.exists() or data.exists():
        return load(directory)
    made = Secrets()
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(dataclasses.asdict(made), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    return made
