"""What a merchant's program does, as steps that either client takes."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from etebar_client.errors import NoAnswer, Refused
from etebar_client.exchange import UNAUTHORIZED, Answer, Call, Pause, Steps, answered
from etebar_client.models import Account, Statement, Totals, Webhook, Withdrawal

API = "/api/v1"
WITHDRAWALS, LEDGER = f"{API}/withdrawals", f"{API}/ledger"
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.2, 5.0


@dataclass(frozen=True, slots=True)
class Page:
    """One page of members, and where the next one is."""

    results: list[dict[str, Any]]
    next: str | None


@dataclass
class Operations:
    """`api_key`, or `username` and `password`: the latter are exchanged for a token when one is needed."""

    api_key: str | None = None
    username: str | None = None
    password: str | None = None
    attempts: int = 8
    _token: str | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if bool(self.api_key) == bool(self.username and self.password):
            raise ValueError("expected api_key, or username and password")

    def withdraw(self, amount: Decimal | str, *, key: str | None, respond_async: bool) -> Steps[Withdrawal]:
        """Under `key`, or a new one: paid, or pending; raises Refused when nothing moved, NoAnswer with the key."""
        if isinstance(amount, float):
            raise TypeError("expected Decimal or str: a float is no amount of money")
        headers = {"Prefer": "respond-async"} if respond_async else {}
        key = key or str(uuid.uuid4())
        call = Call("POST", f"{API}/withdrawals", {"amount": str(amount)}, key=key, headers=headers)
        answer = yield from self._authorized(call)
        return Withdrawal.of(answer.members())

    def withdrawal(self, withdrawal_id: str) -> Steps[Withdrawal]:
        members = yield from self._get(f"{API}/withdrawals/{withdrawal_id}")
        return Withdrawal.of(members)

    def wait(self, withdrawal_id: str, seconds: float) -> Steps[Withdrawal]:
        """Asks until it is final; raises NoAnswer when it is pending still."""
        ends, pause = time.monotonic() + seconds, FIRST_LOOK_SECONDS
        while True:
            found = yield from self.withdrawal(withdrawal_id)
            if found.is_final:
                return found
            if time.monotonic() + pause > ends:
                raise NoAnswer(f"the withdrawal {withdrawal_id} is pending still", None)
            yield Pause(pause)
            pause = min(2 * pause, LONGEST_LOOK_SECONDS)

    def account(self) -> Steps[Account]:
        members = yield from self._get(f"{API}/me")
        return Account.of(members)

    def totals(self, filters: Mapping[str, str]) -> Steps[Totals]:
        members = yield from self._get(f"{API}/withdrawals/totals", filters)
        return Totals(members)

    def statement(self, year: int, month: int) -> Steps[Statement]:
        members = yield from self._get(f"{API}/statements/{year:04}-{month:02}")
        return Statement(members)

    def statement_file(self, year: int, month: int, form: str, language: str) -> Steps[bytes]:
        call = Call("GET", f"{API}/statements/{year:04}-{month:02}", query={"form": form, "language": language})
        answer = yield from self._authorized(call)
        return answer.content

    def page(self, path: str, filters: Mapping[str, str]) -> Steps[Page]:
        """One page of a list; `path` may be the `next` of the page before."""
        members = yield from self._get(path, filters)
        return Page(members["results"], members["next"])

    def get(self, path: str, query: Mapping[str, str]) -> Steps[dict[str, Any]]:
        return (yield from self._get(f"{API}{path}", query))

    def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Steps[dict[str, Any]]:
        """Under the key, or one of its own: it is done once, however often it is sent."""
        answer = yield from self._authorized(Call("POST", f"{API}{path}", body, key=key or str(uuid.uuid4())))
        return answer.members()

    def delete(self, path: str) -> Steps[dict[str, Any]]:
        answer = yield from self._authorized(Call("DELETE", f"{API}{path}", key=str(uuid.uuid4())))
        return answer.members()

    def webhook_create(self, url: str, event_types: list[str]) -> Steps[Webhook]:
        body = {"url": url, "event_types": event_types}
        answer = yield from self._authorized(Call("POST", f"{API}/webhooks", body, key=str(uuid.uuid4())))
        return Webhook.of(answer.members())

    def webhooks(self) -> Steps[list[Webhook]]:
        members = yield from self._get(f"{API}/webhooks")
        return [Webhook.of(each) for each in members["results"]]

    def webhook_secrets(self, webhook_id: str) -> Steps[list[str]]:
        members = yield from self._get(f"{API}/webhooks/{webhook_id}/secret")
        return list(members["secrets"])

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> Steps[dict[str, Any]]:
        answer = yield from self._authorized(Call("GET", path, query=query or {}))
        return answer.members()

    def _authorized(self, call: Call) -> Steps[Answer]:
        """With a key or token; a token that is over is replaced once."""
        for is_last in (False, True):
            token = self.api_key or (yield from self._current_token())
            bearer = {**call.headers, "Authorization": f"Bearer {token}"}
            authorized = Call(call.method, call.path, call.body, call.query, call.key, bearer)
            try:
                return (yield from answered(authorized, self.attempts))
            except Refused as refused:
                if refused.status != UNAUTHORIZED or self.api_key or is_last:
                    raise
                self._token = None
        raise AssertionError("unreachable")

    def _current_token(self) -> Steps[str]:
        if self._token is None:
            credentials = {"username": self.username, "password": self.password}
            answer = yield from answered(Call("POST", f"{API}/auth/token", credentials), self.attempts)
            self._token = str(answer.members()["access"])
        return self._token
