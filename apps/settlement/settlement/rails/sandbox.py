"""The sandbox bank: pays nobody, keeps books that survive a crash, and has faults on command.

Its books are a table of its own (`sandbox_transfers`), written in transactions of its own, as a real bank's would be.
A fault is chosen by the account number (IRTESTSLOW..., see `_FAULT_BY_ACCOUNT`) or, in the test profile, by the
X-Sandbox-Fault header.
"""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg

from settlement import sql
from settlement.database import Database
from settlement.rails.base import NOT_FOUND, PAID, Fault, Outcome, Transfer, refused, unknown

REFUSAL = "account_closed"
MISMATCH = unknown("the reference is known to the sandbox bank with another amount or account")

_FAULT_BY_ACCOUNT = {
    "IRTESTSLOW": Fault.SLOW,
    "IRTESTTIMEOUT": Fault.TIMEOUT_AFTER_PAYING,
    "IRTESTREFUSED": Fault.REFUSED,
    "IRTESTERROR": Fault.ERROR,
    "IRTESTGARBLED": Fault.WRONG_BODY,
    "IRTESTDOWN": Fault.DOWN,
}
_ACCOUNTS_WITH_FAULTS = tuple(_FAULT_BY_ACCOUNT)


class SandboxRail:
    name = "sandbox"

    def __init__(self, database: Database, slow_seconds: float) -> None:
        self._database = database
        self._slow_seconds = slow_seconds

    def takes_in_list(self, transfer: Transfer) -> bool:
        return _fault(transfer) is None

    async def pay(self, transfer: Transfer) -> Outcome:
        match _fault(transfer):
            case Fault.SLOW:
                await asyncio.sleep(self._slow_seconds)
            case Fault.TIMEOUT_AFTER_PAYING:
                await self._book([transfer], "paid")
                return unknown("timeout: the sandbox bank paid, its answer was lost")
            case Fault.WRONG_BODY:
                await self._book([transfer], "paid")
                return unknown("the sandbox bank's answer was not understood")
            case Fault.REFUSED:
                return (await self._book([transfer], "refused", REFUSAL))[transfer.reference]
            case Fault.DOWN:
                await self._book([transfer], "received")
                return unknown("the sandbox bank answered 500")
            case Fault.ERROR:
                return await self._fail_the_first_time(transfer)
            case None:
                pass
        return (await self._book([transfer], "paid"))[transfer.reference]

    async def status(self, transfer: Transfer) -> Outcome:
        return (await self.status_many([transfer]))[transfer.reference]

    async def pay_many(self, transfers: Sequence[Transfer]) -> Mapping[str, Outcome]:
        return await self._book(transfers, "paid")

    async def status_many(self, transfers: Sequence[Transfer]) -> Mapping[str, Outcome]:
        asked = {transfer.reference: transfer for transfer in transfers}
        rows = await self._database.fetch(sql.SANDBOX_TRANSFERS, list(asked))
        return dict.fromkeys(asked, NOT_FOUND) | {
            row["reference"]: _known(row, asked[row["reference"]]) for row in rows
        }

    async def _book(self, transfers: Sequence[Transfer], state: str, reason: str | None = None) -> dict[str, Outcome]:
        references = [transfer.reference for transfer in transfers]
        accounts = [transfer.account for transfer in transfers]
        amounts = [transfer.amount for transfer in transfers]
        rows = await self._database.fetch(sql.SANDBOX_BOOK, references, accounts, amounts, state, reason)
        return dict.fromkeys(references, MISMATCH) | {row["reference"]: _booked(row) for row in rows}

    async def _fail_the_first_time(self, transfer: Transfer) -> Outcome:
        await self._book([transfer], "received")
        rows = await self._database.fetch(sql.SANDBOX_TRANSFERS, [transfer.reference])
        if rows[0]["pay_calls"] == 1:
            return unknown("the sandbox bank answered 500")
        await self._database.fetch(sql.SANDBOX_PAY_RECEIVED, transfer.reference)
        return await self.status(transfer)


def _fault_of_account(account: str) -> Fault | None:
    if not account.startswith(_ACCOUNTS_WITH_FAULTS):
        return None
    return next((fault for prefix, fault in _FAULT_BY_ACCOUNT.items() if account.startswith(prefix)), None)


def _fault(transfer: Transfer) -> Fault | None:
    return transfer.fault or _fault_of_account(transfer.account)


def _booked(row: asyncpg.Record) -> Outcome:
    match row["state"]:
        case "paid":
            return PAID
        case "refused":
            return refused(row["reason"])
        case _:
            return NOT_FOUND


def _known(row: asyncpg.Record, asked: Transfer) -> Outcome:
    """What the bank says when asked: a bank that is down answers no question either."""
    if _fault_of_account(row["account"]) is Fault.DOWN:
        return unknown("the sandbox bank answered 500")
    if (row["amount"], row["account"]) != (asked.amount, asked.account):
        return MISMATCH
    return _booked(row)
