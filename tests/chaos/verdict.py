"""What is proven after each fault, from what clients were told and both databases."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from integration import books
from integration.waiting import wait_until

from etebar_quickstart.stack import Stack
from etebar_verify import judge, ledger
from etebar_verify.books import Books, read_databases
from etebar_verify.history import Broken, Event, Told

from .promise import name_of

PENDING_SECONDS = 90.0


@dataclass(frozen=True)
class Verdict:
    """`lost`: ids that a client was told of and that are not booked; `double`: what was paid or booked twice."""

    lies: Sequence[str]
    lost: int
    double: int

    @property
    def is_true(self) -> bool:
        return not self.lies and not self.lost and not self.double


def wait_none_pending(stack: Stack) -> None:
    """The dispatcher has ended, in its own time, all that was left to it."""
    statement = "SELECT count(*) FROM payments_withdrawal WHERE state = 'pending'"

    def none_left() -> bool:
        return books.query(stack.dsn("etebar_audit"), statement) == [(0,)]

    wait_until("no withdrawal is pending", none_left, PENDING_SECONDS)


def of(events: Sequence[Event], stack: Stack) -> Verdict:
    """The verdict over all that was told so far; what verify_books finds is among the lies."""
    with ThreadPoolExecutor(1) as beside:
        verifying = beside.submit(stack.manage, "verify_books")
        found = judged(events, read_databases(stack.dsn("etebar_audit"), stack.dsn("etebar_audit", "settlementdb")))
        verified = verifying.result()
    if verified.returncode == 0:
        return found
    return replace(found, lies=[*found.lies, *(verified.stdout + verified.stderr).splitlines()])


def judged(events: Sequence[Event], found: Books) -> Verdict:
    """The verdict over a history and books."""
    told = [each for each in events if isinstance(each, Told)]
    booked = {each.id for each in found.withdrawals}
    paid = Counter(each.withdrawal for each in found.transfers if each.state == "paid")
    keys = Counter(each.key for each in found.withdrawals if each.key is not None)
    return Verdict(
        lies=[*judge.lies(events, found), *ledger.lies(found)],
        lost=len({each.id for each in told if each.id is not None and each.status < 300} - booked),
        double=sum(count > 1 for count in (*paid.values(), *keys.values())),
    )


def answers(events: Sequence[Event]) -> int:
    """How many answers there were."""
    return sum(isinstance(each, Told) for each in events)


def what_was_told(events: Sequence[Event]) -> str:
    """Such as `201 x 340, 202 x 12, 409 payout_failed x 30, 503 x 8; 20 without an answer`."""
    told = Counter(name_of(each) for each in events if isinstance(each, Told))
    broken = sum(isinstance(each, Broken) for each in events)
    counted = ", ".join(f"{name} x {count}" for name, count in sorted(told.items()))
    return f"{counted}; {broken} without an answer" if broken else counted
