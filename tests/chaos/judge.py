"""Whether what clients were told is what both databases say: a sentence for each lie, none when all is true.

Knows no service: what was told comes from the recorder's file, the books are read when everything has ended.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .history import Broken, Event, Sent, Told

STATE_OF_STATUS = {201: "settled", 202: "pending"}
PAYOUT_FAILED = "payout_failed"
ACCEPTED = frozenset({201, 202})


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A row of core's books; `key` is None if no idempotency key names it."""

    id: str
    key: str | None
    merchant: int
    amount: str
    state: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A row of settlement's payouts, or of the bank's transfers."""

    withdrawal: str
    amount: str
    state: str


@dataclass(frozen=True, slots=True)
class Books:
    withdrawals: Sequence[Withdrawal]
    payouts: Sequence[Payment]
    transfers: Sequence[Payment]


def lies(history: Iterable[Event], books: Books) -> list[str]:
    """All that does not agree once no withdrawal is on its way any more."""
    events = list(history)
    sent = {event.key: event for event in events if isinstance(event, Sent)}
    told = [event for event in events if isinstance(event, Told)]
    return [*_of_keys(sent, books), *_of_answers(told, sent, books), *_of_clients(sent, told), *_of_payments(books)]


def broken(history: Iterable[Event]) -> list[Broken]:
    """The requests that had no answer."""
    return [event for event in history if isinstance(event, Broken)]


def _of_keys(sent: dict[str, Sent], books: Books) -> Iterator[str]:
    """Each withdrawal is what one key asked for, and no key has two."""
    for key, count in Counter(each.key for each in books.withdrawals).items():
        if key is not None and count > 1:
            yield f"key {key} has {count} withdrawals"
    for each in books.withdrawals:
        asked = sent.get(each.key or "")
        if asked is None:
            yield f"nobody asked for withdrawal {each.id} (key {each.key})"
        elif asked.merchant != each.merchant:
            yield f"withdrawal {each.id} is merchant {each.merchant}'s, but merchant {asked.merchant} asked for it"
        elif not _same(asked.amount, each.amount):
            yield f"withdrawal {each.id} is of {each.amount}, but {asked.amount} was asked for"


def _of_answers(told: Sequence[Told], sent: dict[str, Sent], books: Books) -> Iterator[str]:
    by_key = {each.key: each for each in books.withdrawals}
    for answer in told:
        booked = by_key.get(answer.key)
        if answer.key not in sent:
            yield f"key {answer.key} was answered, but never sent"
        elif answer.status in ACCEPTED or answer.code == PAYOUT_FAILED:
            yield from _of_withdrawal(answer, booked)
        elif answer.is_final:
            yield from _of_refusal(answer, booked)
        elif 400 <= answer.status < 500 and answer.status not in {409, 429}:
            yield f"key {answer.key} was told {answer.status} {answer.code}, though nothing was wrong with it"


def _of_withdrawal(answer: Told, booked: Withdrawal | None) -> Iterator[str]:
    """An answer with a withdrawal in it: that withdrawal is booked, and has ended as the answer says."""
    if booked is None or booked.id != answer.id:
        yield f"key {answer.key} was told {answer.status} with withdrawal {answer.id}, booked is {booked}"
        return
    if not _same(answer.amount, booked.amount):
        yield f"key {answer.key} was told the amount {answer.amount}, booked is {booked.amount}"
    if answer.state != STATE_OF_STATUS.get(answer.status, "failed"):
        yield f"key {answer.key} was told {answer.status} and state {answer.state}: they contradict each other"
    if answer.state not in {"pending", booked.state}:
        yield f"key {answer.key} was told {answer.state}, booked is {booked.state}"


def _of_refusal(answer: Told, booked: Withdrawal | None) -> Iterator[str]:
    if booked is not None:
        yield f"key {answer.key} was told {answer.status} {answer.code}, but has withdrawal {booked.id}"


def _of_clients(sent: dict[str, Sent], told: Sequence[Told]) -> Iterator[str]:
    """Whoever went on asking was told the end, and after an end nothing else."""
    ends = defaultdict(list)
    for answer in told:
        if answer.is_final:
            ends[answer.key].append(answer)
    for key, asked in sent.items():
        if asked.is_patient and key not in ends:
            yield f"key {key} was repeated and never answered"
    for key, answers in ends.items():
        # a pending one may end once
        stages = list(dict.fromkeys((each.status, each.code) for each in answers))
        if len(stages) > 1 and (len(stages) > 2 or stages[0][0] != 202):
            yield f"key {key} was told different ends: {stages}"


def _of_payments(books: Books) -> Iterator[str]:
    """Settled: paid once, by settlement's books and by the bank's. Failed: not paid. Nothing else is paid."""
    booked = {each.id: each for each in books.withdrawals}
    for kind, payments in (("payout", books.payouts), ("transfer", books.transfers)):
        paid = defaultdict(list)
        for each in payments:
            if each.state == "paid":
                paid[each.withdrawal].append(each)
        for unknown in paid.keys() - booked.keys():
            yield f"a {kind} was paid for {unknown}, which is no withdrawal"
        for withdrawal in booked.values():
            yield from _of_paid(kind, withdrawal, paid[withdrawal.id])
    for withdrawal in booked.values():
        if withdrawal.state not in {"settled", "failed"}:
            yield f"withdrawal {withdrawal.id} is still {withdrawal.state}"


def _of_paid(kind: str, withdrawal: Withdrawal, paid: Sequence[Payment]) -> Iterator[str]:
    expected = 1 if withdrawal.state == "settled" else 0
    if len(paid) != expected and withdrawal.state in {"settled", "failed"}:
        yield f"withdrawal {withdrawal.id} is {withdrawal.state}, with {len(paid)} paid {kind}s"
    for each in paid:
        if not _same(each.amount, withdrawal.amount):
            yield f"withdrawal {withdrawal.id} is of {withdrawal.amount}, its paid {kind} of {each.amount}"


def _same(one: str | None, other: str) -> bool:
    return one is not None and Decimal(one) == Decimal(other)
