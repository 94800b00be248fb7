"""Whether what clients were told is what both databases say: a sentence for each lie, none when all is true.

What was told comes from the recorder's file; the books are read when all that clients asked for has ended. Of a
platform that others use meanwhile, only the merchants of the history are judged.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from http import HTTPStatus

from etebar_verify.books import Books, Payment, Withdrawal
from etebar_verify.history import Broken, Event, Sent, Told

STATE_OF_STATUS: dict[int, str] = {HTTPStatus.CREATED: "settled", HTTPStatus.ACCEPTED: "pending"}
PAYOUT_FAILED = "payout_failed"
ACCEPTED = frozenset(STATE_OF_STATUS)
# says nothing of the withdrawal: ask again later
LATER = frozenset({HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})


def lies(history: Iterable[Event], books: Books) -> list[str]:
    """All that does not agree once none of the history's withdrawals is on its way any more."""
    events = list(history)
    sent = {event.key: event for event in events if isinstance(event, Sent)}
    told = [event for event in events if isinstance(event, Told)]
    booked = _of_history(sent, books)
    return [*_of_keys(sent, booked), *_of_answers(told, sent, booked), *_of_clients(sent, told), *payments(booked)]


def _of_history(sent: dict[str, Sent], books: Books) -> Books:
    """The books of the history's merchants, and what its keys made of anybody's; a transfer without a payout stays."""
    merchants = {each.merchant for each in sent.values()}
    withdrawals = [each for each in books.withdrawals if each.merchant in merchants or each.key in sent]
    ids = {each.id for each in withdrawals}

    def is_theirs(payment: Payment) -> bool:
        return payment.withdrawal in ids or payment.merchant is None or payment.merchant in merchants

    payouts, transfers = filter(is_theirs, books.payouts), filter(is_theirs, books.transfers)
    return Books(withdrawals, list(payouts), list(transfers))


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
        # a proxy's 503 has no code
        if answer.says_when is False and answer.code is not None:
            yield f"key {answer.key} was told {answer.status} {answer.code}, and not when to ask again"
        if answer.key not in sent:
            yield f"key {answer.key} was answered, but never sent"
        elif answer.status in ACCEPTED or answer.code == PAYOUT_FAILED:
            yield from _of_withdrawal(answer, booked)
        elif _is_success(answer.status):
            yield f"key {answer.key} was told {answer.status}, which is no answer to a withdrawal"
        elif answer.is_final:
            yield from _of_refusal(answer, booked)
        elif _is_client_error(answer.status) and answer.status not in LATER:
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
    heard: set[str] = set()
    ends: dict[str, Told] = {}
    for answer in told:
        end = ends.get(answer.key)
        if end is not None and _says_something(answer) and answer != end:
            yield f"key {answer.key} was told different ends: {_shown(end)}, then {_shown(answer)}"
        if answer.is_final:
            heard.add(answer.key)
            # a pending one may end once
            if end is None and answer.status != HTTPStatus.ACCEPTED:
                ends[answer.key] = answer
    for key, asked in sent.items():
        if asked.is_patient and key not in heard:
            yield f"key {key} was repeated and never answered"


def _says_something(answer: Told) -> bool:
    """Whether it tells of the withdrawal; 429 and 5xx do not."""
    return _is_success(answer.status) or answer.status == HTTPStatus.CONFLICT


def _shown(answer: Told) -> str:
    return " ".join(str(each) for each in (answer.status, answer.code, answer.state) if each is not None)


def payments(books: Books) -> Iterator[str]:
    """Settled: paid once, by settlement's books and by the bank's. Failed: not paid. Nothing else is paid.

    What was paid by hand to try a bank out is for nobody, unless it has the id of a withdrawal.
    """
    booked = {each.id: each for each in books.withdrawals}
    # that a payment was made, people know better than the bank's books; that it was not, or twice, they do not
    by_people = {each.withdrawal for each in books.payouts if each.by_people}
    for kind, payments in (("payout", books.payouts), ("transfer", books.transfers)):
        paid = defaultdict(list)
        for each in payments:
            if each.state == "paid":
                paid[each.withdrawal].append(each)
        for unknown in sorted({name for name, each in paid.items() if not each[0].is_test} - booked.keys()):
            yield f"a {kind} was paid for {unknown}, which is no withdrawal"
        for withdrawal in booked.values():
            found = paid.get(withdrawal.id, [])
            if found or kind == "payout" or withdrawal.id not in by_people:
                yield from _of_paid(kind, withdrawal, found)
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
        if each.fingerprint is None or each.fingerprint != withdrawal.fingerprint:
            yield f"withdrawal {withdrawal.id} was paid by a {kind} to another account, or to one that is not known"
        if each.merchant != withdrawal.merchant:
            theirs = f"its paid {kind} merchant {each.merchant}'s"
            yield f"withdrawal {withdrawal.id} is merchant {withdrawal.merchant}'s, {theirs}"


def _is_success(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _is_client_error(status: int) -> bool:
    return HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR


def _same(one: str | None, other: str) -> bool:
    return one is not None and Decimal(one) == Decimal(other)
