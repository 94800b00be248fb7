"""Core over HTTP, as its merchants and staff use it."""

import itertools
import time
import uuid
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import httpx2

from .waiting import wait_until

ACCOUNT = "IRTEST0000000000001"
ASYNC = {"Prefer": "respond-async"}
PASSWORD = "p"
POOL = "1000000.00"
MOST_CONNECTIONS = 256
TIMEOUT_SECONDS = 20.0
# well within a token's 30 minutes: a session of tests may be longer
ADMIN_TOKEN_SECONDS = 600.0

_numbers = itertools.count(1)


class Api:
    """One client for all callers; a context manager. On entry the admin signs in, and there is money in the pool."""

    def __init__(self, core_url: str, username: str, password: str) -> None:
        """`username` and `password` are the admin's."""
        self._admin = username, password
        self._http = httpx2.Client(
            base_url=f"{core_url}/api/v1",
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS),
        )
        self._admin_token: dict[str, str] = {}
        self._admin_since = 0.0

    @property
    def admin(self) -> dict[str, str]:
        """The header of an access token of the admin, which is renewed when it is old."""
        now = time.monotonic()
        if not self._admin_token or now - self._admin_since > ADMIN_TOKEN_SECONDS:
            self._admin_token, self._admin_since = self.sign_in(*self._admin), now
        return self._admin_token

    def __enter__(self) -> Self:
        self.must("POST", "/admin/pool/topup", {"amount": POOL}, self.admin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def send(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        """Raises httpx2.TransportError when there is no answer."""
        return self._http.request(method, path, json=body, headers=headers)

    def must(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The members of an answer that must be a success."""
        answer = self.send(method, path, body, headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        members: dict[str, Any] = answer.json()
        return members

    def sign_in(self, username: str, password: str) -> dict[str, str]:
        """The header of a new access token; a 503 is asked again, as its Retry-After says."""
        credentials = {"username": username, "password": password}

        def answered() -> httpx2.Response | None:
            answer = self.send("POST", "/auth/token", credentials)
            return None if answer.status_code == 503 else answer

        answer = wait_until("core answers", answered)
        assert answer.is_success, f"{username}: {answer.status_code} {answer.text}"
        return {"Authorization": f"Bearer {answer.json()['access']}"}

    def merchant(self, *, limit: str = "100.00", account: str = ACCOUNT) -> "Merchant":
        """A new merchant, approved and signed in."""
        name = f"shop-{next(_numbers)}-{uuid.uuid4().hex[:8]}"
        wish = {"username": name, "password": PASSWORD, "requested_credit": limit, "bank_account": account}
        number = self.must("POST", "/auth/register", wish)["merchant_id"]
        approved = self.must("POST", "/admin/approve", {"merchant_id": number, "credit_limit": limit}, self.admin)
        assert approved["state"] == "approved", f"{limit} waits for a second person: {approved}"
        return Merchant(self, number, self.sign_in(name, PASSWORD))


@dataclass(frozen=True)
class Merchant:
    api: Api
    number: int
    token: dict[str, str]

    def withdraw(self, amount: str = "1.00", key: str | None = None, **headers: str) -> httpx2.Response:
        """POST /withdrawals; `key` None sends a new one."""
        sent = self.token | {"Idempotency-Key": key or new_key()} | headers
        return self.api.send("POST", "/withdrawals", {"amount": amount}, sent)

    def state_of(self, withdrawal_id: str) -> str:
        """What GET says of the withdrawal now."""
        return str(self.api.must("GET", f"/withdrawals/{withdrawal_id}", headers=self.token)["state"])

    def used(self) -> str:
        """How much of the limit is used."""
        return str(self.api.must("GET", "/me", headers=self.token)["utilized_amount"])


def new_key() -> str:
    return uuid.uuid4().hex


def assert_problem(answer: httpx2.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.json()["status"], answer.json()["code"]) == (status, code)
