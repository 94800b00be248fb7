"""Who the `etebar` command asks as: a file that its owner alone may read."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx2

from etebar_client.exchange import Answer, Call, Final, judged
from etebar_client.synchronous import Etebar

TIMEOUT_SECONDS = 15.0
SCOPES = ["withdrawals:write", "withdrawals:read", "statements:read", "webhooks:manage"]


class NotLoggedIn(Exception):  # noqa: N818 - a fact
    """There are no credentials; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A merchant's `api_key`, or the `refresh` token of staff."""

    url: str
    username: str
    api_key: str = ""
    refresh: str = ""

    @property
    def key_id(self) -> str:
        """By which the key is revoked; it stands in the key itself."""
        return self.api_key.split("_")[1] if self.api_key else ""


def place(environ: Mapping[str, str] = os.environ) -> Path:
    """ETEBAR_CREDENTIALS, or a file below XDG_CONFIG_HOME."""
    given = environ.get("ETEBAR_CREDENTIALS")
    below = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Path(given) if given else below / "etebar" / "credentials.json"


def save(credentials: Credentials) -> Path:
    """Written whole or not at all, for its owner alone."""
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(credentials), file)
    new.replace(path)
    return path


def forget() -> None:
    """Nobody is logged in here any more."""
    place().unlink(missing_ok=True)


def load() -> Credentials:
    """Raises NotLoggedIn."""
    try:
        return Credentials(**json.loads(place().read_text()))
    except FileNotFoundError as error:
        raise NotLoggedIn("nobody is logged in here: etebar login --url https://...") from error
    except (ValueError, TypeError) as error:
        raise NotLoggedIn(f"{place()} cannot be read; log in again") from error


def tokens_of(url: str, path: str, body: Mapping[str, str]) -> dict[str, str]:
    """Access and refresh of POST /auth/token or /auth/token/refresh; raises Refused, NoAnswer and httpx2's errors."""
    call = Call("POST", f"/api/v1{path}", body)
    got = httpx2.post(f"{url}{call.path}", json=body, headers=call.all_headers(), timeout=TIMEOUT_SECONDS)
    return judged(Final(Answer.of(got), may_be_done=False), call, _tokens)


def _tokens(answer: Answer) -> dict[str, str]:
    members = answer.members()
    return {name: str(members[name]) for name in ("access", "refresh")}


def logged_in() -> Etebar:
    """A client of who is logged in; the refresh token of staff is spent, and the next one kept."""
    known = load()
    if known.api_key:
        return Etebar(known.url, api_key=known.api_key)
    tokens = tokens_of(known.url, "/auth/token/refresh", {"refresh": known.refresh})
    save(Credentials(known.url, known.username, refresh=tokens["refresh"]))
    return Etebar(known.url, api_key=tokens["access"])
