"""A whole proof against a platform in the sandbox profile: merchants of its own, and what became of their withdrawals.

Staff's name and password come from files, as Kubernetes mounts a Secret: neither is on a command line.
"""

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from etebar_verify.errors import UnusableInputError

ACCOUNTS = ("IRTEST0000000000001", "IRTEST0000000000002", "IRTESTREFUSED0000001")
LIMIT = "1000.00"
POOL = "3000.00"
PENDING_SECONDS = 120.0
TIMEOUT_SECONDS = 20.0
HTTP_PORT = 80


class Core:
    """Core's API at a URL like `http://core:8000`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise UnusableInputError(f"expected a URL like http://core:8000, not {url!r}")
        self._url = url.rstrip("/")
        self.address = (parts.hostname, parts.port or HTTP_PORT)

    def post(self, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
        """The members of a success; raises UnusableInputError with what was answered instead."""
        return self._ask(path, json.dumps(body).encode(), token)

    def get(self, path: str, token: str) -> dict[str, Any]:
        return self._ask(path, None, token)

    def _ask(self, path: str, body: bytes | None, token: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(f"{self._url}/api/v1{path}", body, headers)  # noqa: S310 - http, see above
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                members: dict[str, Any] = json.load(answer)
                return members
        except urllib.error.HTTPError as error:
            raise UnusableInputError(f"{path} was answered {error.code}: {error.read().decode()[:500]}") from error
        except OSError as error:
            raise UnusableInputError(f"{self._url} does not answer: {error}") from error

    def sign_in(self, username: str, password: str) -> str:
        return str(self.post("/auth/token", {"username": username, "password": password})["access"])


def prepare(core: Core, admin: Path, clients: int, orders: Path) -> dict[int, str]:
    """Merchants with credit and money behind it, and the file of their clients; returns the merchants' tokens."""
    staff = core.sign_in(*(read_secret(admin / name) for name in ("username", "password")))
    core.post("/admin/pool/topup", {"amount": POOL}, staff)
    merchants = [_merchant(core, staff, account) for account in ACCOUNTS]
    callers = [merchants[number % len(merchants)] for number in range(clients)]
    orders.write_text(json.dumps({"address": core.address, "seed": time.time_ns(), "callers": callers}))
    return {each["merchant"]: str(each["token"]) for each in merchants}


def read_secret(path: Path) -> str:
    """What a file of a Secret holds; raises UnusableInputError."""
    try:
        return path.read_text().strip()
    except OSError as error:
        raise UnusableInputError(f"{path}: {error.strerror}; expected a username or password") from error


def _merchant(core: Core, staff: str, account: str) -> dict[str, Any]:
    username, password = f"verify-{uuid.uuid4().hex[:16]}", uuid.uuid4().hex
    wish = {"username": username, "password": password, "requested_credit": LIMIT, "bank_account": account}
    number = core.post("/auth/register", wish)["merchant_id"]
    core.post("/admin/approve", {"merchant_id": number, "credit_limit": LIMIT}, staff)
    return {"merchant": number, "token": core.sign_in(username, password)}


def wait_until_ended(core: Core, tokens: Iterable[str]) -> None:
    """Until none of the merchants' withdrawals is pending; raises UnusableInputError when that takes too long."""
    deadline = time.monotonic() + PENDING_SECONDS
    while any(core.get("/withdrawals?state=pending&limit=1", token)["results"] for token in tokens):
        if time.monotonic() > deadline:
            raise UnusableInputError(f"withdrawals are still pending after {PENDING_SECONDS:.0f} s: judge them later")
        time.sleep(0.5)
