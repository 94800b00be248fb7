"""What a merchant's program does, as steps that either client takes."""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

from etebar_client.errors import NoAnswer, Refused
from etebar_client.exchange import UNAUTHORIZED, Answer, Call, Pause, Steps, answered, judged
from etebar_client.models import Account, Statement, Totals, Webhook, Withdrawal

API = "/api/v1"
WITHDRAWALS, LEDGER, STATEMENTS = f"{API}/withdrawals", f"{API}/ledger", f"{API}/statements"
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.2, 5.0
FILES = {"pdf": "application/pdf", "csv": "text/csv"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of members, and where the next one is."""

    results: list[dict[str, Any]]
    next: str | None


@dataclass(frozen=True, slots=True)
class Days:
    """A month, or any days, both inclusive: the address of their statement."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def month(cls, year: int, month: int) -> "Days":
        return cls(f"{STATEMENTS}/{year:04}-{month:02}")

    @classmethod
    def between(cls, first: date, last: date) -> "Days":
        return cls(STATEMENTS, {"period_from": first.isoformat(), "period_to": last.isoformat()})


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

    def withdraw(
        self, amount: Decimal | str, *, key: str | None, wait_seconds: float, respond_async: bool
    ) -> Steps[Withdrawal]:
        """Under `key`, or a new one: paid, or failed, or pending when there is no time to wait.

        Raises Refused when nothing moved, NoAnswer with the key whenever that is not known.
        """
        if isinstance(amount, float):
            raise TypeError("expected Decimal or str: a float is no amount of money")
        headers = {"Prefer": "respond-async"} if respond_async else {}
        key = new_key() if key is None else key
        call = Call("POST", WITHDRAWALS, {"amount": str(amount)}, key=key, headers=headers)
        made = yield from self._asked(call, _withdrawal)
        if made.is_final or not wait_seconds:
            return made
        try:
            return (yield from self.wait(made.id, wait_seconds))
        except (Refused, NoAnswer) as unknown:
            # what does not let it be looked at says nothing of the money
            raise NoAnswer(f"the withdrawal {made.id} was pending; {unknown}", key) from unknown

    def withdrawal(self, withdrawal_id: str) -> Steps[Withdrawal]:
        return (yield from self._asked(Call("GET", f"{WITHDRAWALS}/{withdrawal_id}"), _withdrawal))

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
        return (yield from self._get(f"{API}/me", read=Account.of))

    def totals(self, filters: Mapping[str, str]) -> Steps[Totals]:
        return (yield from self._get(f"{WITHDRAWALS}/totals", filters, read=Totals))

    def statement(self, days: Days) -> Steps[Statement]:
        return (yield from self._get(days.path, days.query, read=Statement))

    def statement_file(self, days: Days, form: str, language: str) -> Steps[bytes]:
        """Raises ValueError for a form that is neither pdf nor csv."""
        if form not in FILES:
            raise ValueError(f"expected pdf or csv, not {form!r}")
        query = {**days.query, "form": form, "language": language}
        call = Call("GET", days.path, query=query, takes=FILES[form])
        return (yield from self._asked(call, lambda answer: answer.content))

    def page(self, path: str, filters: Mapping[str, str]) -> Steps[Page]:
        """One page of a list; `path` may be the `next` of the page before."""
        return (yield from self._get(path, filters, read=lambda found: Page(found["results"], found["next"])))

    def get(self, path: str, query: Mapping[str, str]) -> Steps[dict[str, Any]]:
        return (yield from self._get(f"{API}{path}", query, read=dict))

    def post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> Steps[dict[str, Any]]:
        """Under the key, or one of its own: it is done once, however often it is sent."""
        call = Call("POST", f"{API}{path}", body, key=new_key() if key is None else key)
        return (yield from self._asked(call, Answer.members))

    def delete(self, path: str) -> Steps[dict[str, Any]]:
        return (yield from self._asked(Call("DELETE", f"{API}{path}", key=new_key()), Answer.members))

    def webhook_create(self, url: str, event_types: list[str]) -> Steps[Webhook]:
        call = Call("POST", f"{API}/webhooks", {"url": url, "event_types": event_types}, key=new_key())
        return (yield from self._asked(call, lambda answer: Webhook.of(answer.members())))

    def webhooks(self) -> Steps[list[Webhook]]:
        return (yield from self._get(f"{API}/webhooks", read=lambda found: [*map(Webhook.of, found["results"])]))

    def webhook_secrets(self, webhook_id: str) -> Steps[list[str]]:
        return (yield from self._get(f"{API}/webhooks/{webhook_id}/secret", read=lambda found: list(found["secrets"])))

    def _get(
        self, path: str, query: Mapping[str, str] | None = None, *, read: Callable[[dict[str, Any]], T]
    ) -> Steps[T]:
        return (yield from self._asked(Call("GET", path, query=query or {}), lambda answer: read(answer.members())))

    def _asked(self, call: Call, read: Callable[[Answer], T]) -> Steps[T]:
        """With a key or token; a token that is over is replaced once. Raises Refused and NoAnswer."""
        may_be_done = False
        for is_last in (False, True):
            token = self.api_key or (yield from self._current_token(call, may_be_done=may_be_done))
            headers = {**call.headers, "Authorization": f"Bearer {token}"}
            final = yield from answered(replace(call, headers=headers), self.attempts)
            may_be_done |= final.may_be_done
            if final.answer.status != UNAUTHORIZED or self.api_key or is_last:
                return judged(replace(final, may_be_done=may_be_done), call, read)
            self._token = None
        raise AssertionError("unreachable")

    def _current_token(self, call: Call, *, may_be_done: bool) -> Steps[str]:
        """For a call, which may have been heard already: then no refusal here is one of it."""
        if self._token is None:
            credentials = {"username": self.username, "password": self.password}
            log_in = Call("POST", f"{API}/auth/token", credentials)
            try:
                final = yield from answered(log_in, self.attempts)
            except NoAnswer as unknown:
                raise NoAnswer(str(unknown), call.key) from unknown
            asked = replace(log_in, key=call.key)
            self._token = judged(
                replace(final, may_be_done=may_be_done), asked, lambda answer: str(answer.members()["access"])
            )
        return self._token


def new_key() -> str:
    """A key that nobody has used."""
    return str(uuid.uuid4())


def _withdrawal(answer: Answer) -> Withdrawal:
    return Withdrawal.of(answer.members())
