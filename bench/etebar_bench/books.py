"""Whether what was answered is what was booked and paid: compared by id after every row, and in sum at the end."""

import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection  # noqa: N812 - a class, whatever its name looks like

from etebar_bench.databases import FLOOR, connected
from etebar_bench.measured import EXACT
from etebar_quickstart import Stack

DEFINITION = (
    "exact: every withdrawal that was answered 201 is settled in walletdb and paid once in settlementdb with the same "
    "amount; what is booked beyond that is at most what was under way when the load ended (clients x batch) or was "
    "answered 202, and is settled and paid, too; nothing is left pending. Floor: as many withdrawals are settled, and "
    "as much left the pool, as pgbench counted transactions."
)
OF_KEYS = """
SELECT w.id::text, w.amount, w.state FROM payments_idempotencykey AS k JOIN payments_withdrawal AS w
ON w.id = k.withdrawal_id WHERE k.key LIKE %s
"""
SETTLED_BY_ROW = r"""
SELECT substring(k.key FROM '^(?:[^-]+-){4}'), count(*) FROM payments_idempotencykey AS k
JOIN payments_withdrawal AS w ON w.id = k.withdrawal_id WHERE w.state = 'settled' GROUP BY 1
"""
PAID = "SELECT withdrawal_id::text, amount FROM payouts WHERE state = 'paid' AND withdrawal_id = ANY (%s::uuid[])"
SETTLED_SUM = "SELECT count(*), coalesce(sum(amount), 0) FROM payments_withdrawal WHERE state = 'settled'"
PAID_SUM = "SELECT count(*), coalesce(sum(amount), 0) FROM payouts WHERE state = 'paid'"
POOL = "SELECT available_amount FROM payments_creditpool"
QUIET_SECONDS, QUIET_AT_MOST_SECONDS, LOOK_SECONDS = 0.5, 20.0, 0.05
# The pool's number counts reservations: one row to read, however many there are.
PENDING_AND_NUMBER = """
SELECT (SELECT count(*) FROM payments_withdrawal WHERE state = 'pending'), ledger_number FROM payments_creditpool
"""


@dataclasses.dataclass(frozen=True)
class Told:
    """What one row's load was told: ids of settled withdrawals, and how many more may have been booked unseen.

    Keys of a row begin with `prefix`: four parts, each with a dash after it.
    """

    prefix: str
    ids: Sequence[str]
    most_unseen: int


class Books:
    """Reads the databases as the auditor, who may only read."""

    def __init__(self, wallet: Connection, settlement: Connection, floor: Connection) -> None:
        self._wallet, self._settlement, self._floor = wallet, settlement, floor
        self._rows: list[tuple[str, int, int]] = []

    def compare(self, told: Told) -> str:
        """EXACT, or what differs, of one row; waits until what was under way is done."""
        left = self._wait_until_quiet()
        booked = _query(self._wallet, OF_KEYS, f"{told.prefix}%")
        settled = {identifier: amount for identifier, amount, state in booked if state == "settled"}
        paid = dict(_query(self._settlement, PAID, list(settled)))
        self._rows.append((told.prefix, len(told.ids), told.most_unseen))
        differences = {
            "still pending": left,
            "told twice": len(told.ids) - len(set(told.ids)),
            "told but not settled": len(set(told.ids) - settled.keys()),
            "settled but not paid so": sum(paid.get(identifier) != amount for identifier, amount in settled.items()),
            "settled beyond what was under way": max(0, len(settled) - len(told.ids) - told.most_unseen),
        }
        return _in_words(differences)

    def floor_state(self) -> tuple[int, Decimal]:
        """How many withdrawals the floor has settled, and what is left in its pool."""
        settled, _ = _query(self._floor, SETTLED_SUM)[0]
        return settled, _query(self._floor, POOL)[0][0]

    def compare_floor(self, before: tuple[int, Decimal], transactions: int) -> str:
        """EXACT, or by how much the floor's books moved otherwise than its transactions."""
        settled, pool = self.floor_state()
        differences = {
            "settled beyond the transactions": settled - before[0] - transactions,
            "taken from the pool beyond them": int(before[1] - pool) - transactions,
        }
        return _in_words(differences)

    def compare_sums(self) -> tuple[str, dict[str, Any]]:
        """EXACT or what differs of the whole run, and the sums themselves (amounts as strings).

        Rows are counted again: what outlasted the wait after its row is booked by now.
        """
        left = self._wait_until_quiet()
        by_row = dict(_query(self._wallet, SETTLED_BY_ROW))
        settled, paid = _query(self._wallet, SETTLED_SUM)[0], _query(self._settlement, PAID_SUM)[0]
        unseen = {prefix: by_row.pop(prefix, 0) - told for prefix, told, _ in self._rows}
        differences = {
            "still pending": left,
            "settled beyond what was under way": sum(max(0, unseen[row] - most) for row, _, most in self._rows),
            "settled without a row": sum(by_row.values()),
            "settled of another amount than 1.00": int(settled[1] - settled[0]),
            "paid beyond settled": paid[0] - settled[0],
            "of amount paid so": int(paid[1] - settled[1]),
        }
        sums = {name: {"count": row[0], "amount": str(row[1])} for name, row in (("settled", settled), ("paid", paid))}
        answered = sum(told for _, told, _ in self._rows)
        return _in_words(differences), {"answered": answered, "unseen": sum(unseen.values()), **sums}

    def _wait_until_quiet(self) -> int:
        """How many are pending when nothing has been reserved or ended for a while.

        Core runs requests to their end whose client is gone; one that waits for its turn is in no table yet.
        """
        begun = since = time.monotonic()
        last = _query(self._wallet, PENDING_AND_NUMBER)[0]
        while time.monotonic() - begun < QUIET_AT_MOST_SECONDS:
            time.sleep(LOOK_SECONDS)
            now = _query(self._wallet, PENDING_AND_NUMBER)[0]
            if now != last:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > QUIET_SECONDS and not now[0]:
                break
        return int(last[0])


@contextlib.contextmanager
def open_books(stack: Stack) -> Iterator[Books]:
    """The books of core, settlement and the floor."""
    with (
        connected(stack, "etebar_audit", "walletdb") as wallet,
        connected(stack, "etebar_audit", "settlementdb") as settlement,
        connected(stack, "etebar_audit", FLOOR) as floor,
    ):
        yield Books(wallet, settlement, floor)


def _query(connection: Connection, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _in_words(differences: dict[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in differences.items() if number) or EXACT
