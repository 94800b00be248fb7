"""The client for programs on an event loop."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from etebar_client.exchange import Answer, Broken, Call, Pause, Steps
from etebar_client.models import Account, LedgerEntry, Statement, Totals, Webhook, Withdrawal
from etebar_client.operations import API, LEDGER, WITHDRAWALS, Days, Operations

T = TypeVar("T")


class AsyncEtebar:
    """As `Etebar`, to be awaited; lists are asynchronous iterators."""

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
        self._http = httpx2.AsyncClient(base_url=url, timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Gives its connections back."""
        await self._http.aclose()

    async def withdraw(
        self, amount: Decimal | str, *, key: str | None = None, wait_seconds: float = 0.0, respond_async: bool = False
    ) -> Withdrawal:
        """Asks under `key` (a new one if there is none) until there is an answer; waits for the end if it is pending.

        Keep the key before you ask, and ask with it again whenever you do not know: money moves once.
        """
        steps = self._operations.withdraw(amount, key=key, wait_seconds=wait_seconds, respond_async=respond_async)
        return await self._run(steps)

    async def withdrawal(self, withdrawal_id: str) -> Withdrawal:
        """One of the merchant's."""
        return await self._run(self._operations.withdrawal(withdrawal_id))

    async def wait(self, withdrawal_id: str, seconds: float = 60.0) -> Withdrawal:
        """Until it is settled or failed; raises NoAnswer while it is pending."""
        return await self._run(self._operations.wait(withdrawal_id, seconds))

    async def withdrawals(self, **filters: str) -> AsyncIterator[Withdrawal]:
        """All, newest first, page by page; filters as docs/api/core.json has them (state, created_from ...)."""
        async for row in self._rows(WITHDRAWALS, filters):
            yield Withdrawal.of(row)

    async def ledger(self, **filters: str) -> AsyncIterator[LedgerEntry]:
        """All entries, newest first, page by page."""
        async for row in self._rows(LEDGER, filters):
            yield LedgerEntry.of(row)

    async def account(self) -> Account:
        """State, limit, what is used and available."""
        return await self._run(self._operations.account())

    async def totals(self, **filters: str) -> Totals:
        """Counts and sums of withdrawals by state."""
        return await self._run(self._operations.totals(filters))

    async def statement(self, year: int, month: int) -> Statement:
        """A month's statement."""
        return await self._run(self._operations.statement(Days.month(year, month)))

    async def statement_between(self, first: date, last: date) -> Statement:
        """The statement of these days, both inclusive."""
        return await self._run(self._operations.statement(Days.between(first, last)))

    async def statement_file(self, year: int, month: int, form: str = "pdf", language: str = "en") -> bytes:
        """A month's as a file: `pdf`, in English (`en`) or Persian (`fa`), or `csv`."""
        return await self._run(self._operations.statement_file(Days.month(year, month), form, language))

    async def statement_file_between(self, first: date, last: date, form: str = "pdf", language: str = "en") -> bytes:
        """The same of these days."""
        return await self._run(self._operations.statement_file(Days.between(first, last), form, language))

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """The members of whatever else docs/api/core.json has; `path` is below /api/v1."""
        return await self._run(self._operations.get(path, query))

    async def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> dict[str, Any]:
        """The same of what changes something: done once, however often it is sent under one key."""
        return await self._run(self._operations.post(path, body, key))

    async def delete(self, path: str) -> dict[str, Any]:
        """The same of what takes something away."""
        return await self._run(self._operations.delete(path))

    def rows(self, path: str, **filters: str) -> AsyncIterator[dict[str, Any]]:
        """The members of each of whatever else is a list, page by page; `path` is below /api/v1."""
        return self._rows(f"{API}{path}", filters)

    async def webhook_create(self, url: str, *event_types: str) -> Webhook:
        """Has events sent there; of the types named, or all."""
        return await self._run(self._operations.webhook_create(url, list(event_types)))

    async def webhooks(self) -> list[Webhook]:
        """The merchant's webhooks."""
        return await self._run(self._operations.webhooks())

    async def webhook_secrets(self, webhook_id: str) -> list[str]:
        """What `etebar_client.webhooks.verify` needs; the newest first."""
        return await self._run(self._operations.webhook_secrets(webhook_id))

    async def _rows(self, path: str, filters: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        following: str | None = path
        while following:
            page = await self._run(self._operations.page(following, filters if following == path else {}))
            for row in page.results:
                yield row
            following = page.next

    async def _run(self, steps: Steps[T]) -> T:
        outcome: Answer | Broken | None = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return] # StopIteration does not say
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                outcome = None
            else:
                outcome = await self._send(step)

    async def _send(self, call: Call) -> Answer | Broken:
        try:
            got = await self._http.request(
                call.method, call.path, json=call.body, params=call.query or None, headers=call.all_headers()
            )
        except httpx2.RequestError as error:
            return Broken(str(error) or type(error).__name__)
        return Answer.of(got)
