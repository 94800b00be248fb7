"""The client for programs that wait."""

import time
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from etebar_client.exchange import Answer, Broken, Call, Pause, Steps
from etebar_client.models import Account, LedgerEntry, Statement, Totals, Webhook, Withdrawal
from etebar_client.operations import API, LEDGER, WITHDRAWALS, Days, Operations

T = TypeVar("T")


class Etebar:
    """A merchant's door: `Etebar("https://pay.example", api_key="etk_...")`, or with username and password.

    Amounts are Decimal or str. Methods raise Refused for a definite no, NoAnswer when nothing is known after all
    `attempts`; `timeout` (seconds) is each attempt's.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        timeout: float = 15.0,
        attempts: int = 8,
    ) -> None:
        self._operations = Operations(api_key, username, password, attempts)
        self._http = httpx2.Client(base_url=url, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives its connections back."""
        self._http.close()

    def withdraw(
        self, amount: Decimal | str, *, key: str | None = None, wait_seconds: float = 0.0, respond_async: bool = False
    ) -> Withdrawal:
        """Asks under `key` (a new one if there is none) until there is an answer; waits for the end if it is pending.

        Keep the key before you ask, and ask with it again whenever you do not know: money moves once.
        """
        steps = self._operations.withdraw(amount, key=key, wait_seconds=wait_seconds, respond_async=respond_async)
        return self._run(steps)

    def withdrawal(self, withdrawal_id: str) -> Withdrawal:
        """One of the merchant's."""
        return self._run(self._operations.withdrawal(withdrawal_id))

    def wait(self, withdrawal_id: str, seconds: float = 60.0) -> Withdrawal:
        """Until it is settled or failed; raises NoAnswer while it is pending."""
        return self._run(self._operations.wait(withdrawal_id, seconds))

    def withdrawals(self, **filters: str) -> Iterator[Withdrawal]:
        """All, newest first, page by page; filters as docs/api/core.json has them (state, created_from ...)."""
        return map(Withdrawal.of, self._rows(WITHDRAWALS, filters))

    def ledger(self, **filters: str) -> Iterator[LedgerEntry]:
        """All entries, newest first, page by page."""
        return map(LedgerEntry.of, self._rows(LEDGER, filters))

    def account(self) -> Account:
        """State, limit, what is used and available."""
        return self._run(self._operations.account())

    def totals(self, **filters: str) -> Totals:
        """Counts and sums of withdrawals by state."""
        return self._run(self._operations.totals(filters))

    def statement(self, year: int, month: int) -> Statement:
        """A month's statement."""
        return self._run(self._operations.statement(Days.month(year, month)))

    def statement_between(self, first: date, last: date) -> Statement:
        """The statement of these days, both inclusive."""
        return self._run(self._operations.statement(Days.between(first, last)))

    def statement_file(self, year: int, month: int, form: str = "pdf", language: str = "en") -> bytes:
        """A month's as a file: `pdf`, in English (`en`) or Persian (`fa`), or `csv`."""
        return self._run(self._operations.statement_file(Days.month(year, month), form, language))

    def statement_file_between(self, first: date, last: date, form: str = "pdf", language: str = "en") -> bytes:
        """The same of these days."""
        return self._run(self._operations.statement_file(Days.between(first, last), form, language))

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The members of whatever else docs/api/core.json has; `path` is below /api/v1."""
        return self._run(self._operations.get(path, query))

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """The same of what changes something: done once, however often it is sent under one key."""
        return self._run(self._operations.post(path, body, key))

    def delete(self, path: str) -> dict[str, Any]:
        """The same of what takes something away."""
        return self._run(self._operations.delete(path))

    def rows(self, path: str, **filters: str) -> Iterator[dict[str, Any]]:
        """The members of each of whatever else is a list, page by page; `path` is below /api/v1."""
        return self._rows(f"{API}{path}", filters)

    def webhook_create(self, url: str, *event_types: str) -> Webhook:
        """Has events sent there; of the types named, or all."""
        return self._run(self._operations.webhook_create(url, list(event_types)))

    def webhooks(self) -> list[Webhook]:
        """The merchant's webhooks."""
        return self._run(self._operations.webhooks())

    def webhook_secrets(self, webhook_id: str) -> list[str]:
        """What `etebar_client.webhooks.verify` needs; the newest first."""
        return self._run(self._operations.webhook_secrets(webhook_id))

    def _rows(self, path: str, filters: dict[str, str]) -> Iterator[dict[str, Any]]:
        following: str | None = path
        while following:
            page = self._run(self._operations.page(following, filters if following == path else {}))
            yield from page.results
            following = page.next

    def _run(self, steps: Steps[T]) -> T:
        outcome: Answer | Broken | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return] # StopIteration does not say
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                outcome = None
            else:
                outcome = self._send(step)

    def _send(self, call: Call) -> Answer | Broken:
        try:
            got = self._http.request(
                call.method, call.path, json=call.body, params=call.query or None, headers=call.all_headers()
            )
        except httpx2.RequestError as error:
            return Broken(str(error) or type(error).__name__)
        return Answer.of(got)
