"""Whether core's ledger holds in itself: at each of its moments, to its last entry, and in sum.

Written beside `manage.py verify_books`, not from it: a second pair of eyes, in another language.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from etebar_verify.books import Balance, Books, Entry, Repayment, Withdrawal

Account = tuple[str, int]
# every posting that there is: its kind, its account, and whether a withdrawal is behind it
POSTINGS = frozenset(
    {
        ("top_up", "pool", False),
        ("top_up", "funding", False),
        ("adjustment", "pool", False),
        ("adjustment", "adjustment", False),
        ("reserve", "merchant", True),
        ("reserve", "pool", True),
        ("release", "merchant", True),
        ("release", "pool", True),
        ("repayment", "merchant", False),
        ("repayment", "pool", False),
        ("reversal", "merchant", False),
        ("reversal", "pool", False),
    }
)
# accounts that are never below zero; the others are counter-accounts of the outside world
NEVER_NEGATIVE = frozenset({"pool", "merchant"})


def lies(books: Books) -> list[str]:
    """A sentence for each thing that cannot be true."""
    accounts = _accounts(books)
    total = sum((Decimal(each.amount) for each in books.balances), Decimal(0))
    return [
        *_of_some(books, accounts),
        *([f"all balances together are {total}: money was made or lost"] if total else []),
    ]


def lies_of_merchants(books: Books) -> list[str]:
    """The same of the ledger of some merchants: the accounts that they share with others are not judged."""
    accounts = {name: entries for name, entries in _accounts(books).items() if name[0] == "merchant"}
    return _of_some(books, accounts)


def _of_some(books: Books, accounts: Mapping[Account, Sequence[Entry]]) -> list[str]:
    return [
        *_of_postings(books.entries),
        *_of_transactions(books.entries),
        *_of_moments(accounts),
        *_of_limits(books),
        *_of_withdrawals(books),
        *_of_repayments(books),
        *_of_balances(accounts, books.balances),
    ]


def _accounts(books: Books) -> dict[Account, list[Entry]]:
    """Each account's entries, in their order."""
    accounts: dict[Account, list[Entry]] = defaultdict(list)
    for entry in sorted(books.entries, key=lambda each: each.number):
        accounts[entry.account, entry.account_id].append(entry)
    return accounts


def _of_postings(entries: Sequence[Entry]) -> Iterator[str]:
    """Money moves in the ways that there are, and in no other."""
    for entry in entries:
        if (entry.kind, entry.account, entry.withdrawal is not None) not in POSTINGS:
            behind = f"of withdrawal {entry.withdrawal}" if entry.withdrawal else "of no withdrawal"
            place = f"{entry.account} {entry.account_id}: entry {entry.number}"
            yield f"{place} is a {entry.kind} {behind}, which none may be"


def _of_transactions(entries: Sequence[Entry]) -> Iterator[str]:
    """Double entry: what one account gives another takes."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        sums[entry.transaction] += Decimal(entry.amount)
    for transaction, total in sums.items():
        if total:
            yield f"ledger transaction {transaction} makes or loses {total}"


def _of_moments(accounts: Mapping[Account, Sequence[Entry]]) -> Iterator[str]:
    """Each entry follows the one before it, and no moment has less than nothing."""
    for (account, account_id), entries in accounts.items():
        number, balance = 0, Decimal(0)
        for entry in entries:
            number, balance = number + 1, balance + Decimal(entry.amount)
            if entry.number != number:
                yield f"{account} {account_id}: entry {entry.number} is where {number} should be"
                number = entry.number
            if Decimal(entry.balance_after) != balance:
                yield f"{account} {account_id}: entry {number} says {entry.balance_after}, its entries sum to {balance}"
                balance = Decimal(entry.balance_after)
            if balance < 0 and account in NEVER_NEGATIVE:
                yield f"{account} {account_id}: {balance} after entry {number}, less than nothing"


def _of_limits(books: Books) -> Iterator[str]:
    """A reservation never brought a merchant over the limit that it was accepted under."""
    limits = {each.id: Decimal(each.accepted_limit) for each in books.withdrawals}
    for entry in books.entries:
        limit = limits.get(entry.withdrawal or "")
        over = limit is not None and Decimal(entry.balance_after) > limit
        if (entry.kind, entry.account) == ("reserve", "merchant") and over:
            yield f"withdrawal {entry.withdrawal} brought its merchant to {entry.balance_after}, over the limit {limit}"


def _of_withdrawals(books: Books) -> Iterator[str]:
    """Each withdrawal was taken from both sides once, and given back once if it failed."""
    posted: dict[str, list[tuple[str, str, int | None, Decimal]]] = defaultdict(list)
    for entry in books.entries:
        if entry.withdrawal is not None:
            merchant = entry.account_id if entry.account == "merchant" else None
            posted[entry.withdrawal].append((entry.kind, entry.account, merchant, Decimal(entry.amount)))
    for withdrawal in books.withdrawals:
        found = sorted(posted.pop(withdrawal.id, []), key=str)
        if found != sorted(_postings(withdrawal), key=str):
            shown = ", ".join(f"{kind} {account} {amount}" for kind, account, _, amount in found) or "nothing"
            yield f"withdrawal {withdrawal.id} ({withdrawal.state}, {withdrawal.amount}) is posted as {shown}"
    for unknown in posted:
        yield f"the ledger has entries of withdrawal {unknown}, which is not there"


def _postings(withdrawal: Withdrawal) -> list[tuple[str, str, int | None, Decimal]]:
    amount, merchant = Decimal(withdrawal.amount), withdrawal.merchant
    expected = [("reserve", "merchant", merchant, amount), ("reserve", "pool", None, -amount)]
    if withdrawal.state == "failed":
        expected += [("release", "merchant", merchant, -amount), ("release", "pool", None, amount)]
    return expected


def _of_repayments(books: Books) -> Iterator[str]:
    """Each repayment gave to both sides once, and took it back once if it was reversed."""
    posted: dict[str, list[tuple[str, str, int | None, Decimal]]] = defaultdict(list)
    for entry in books.entries:
        if entry.kind in {"repayment", "reversal"}:
            merchant = entry.account_id if entry.account == "merchant" else None
            posted[entry.transaction].append((entry.kind, entry.account, merchant, Decimal(entry.amount)))
    for repayment in books.repayments:
        for kind, transaction, used in _moves(repayment):
            expected = [(kind, "merchant", repayment.merchant, used), (kind, "pool", None, -used)]
            if sorted(posted.pop(transaction, []), key=str) != sorted(expected, key=str):
                yield f"the {kind} {transaction} of {repayment.amount} is not posted as that"
    for unknown in posted:
        yield f"the ledger has entries of repayment {unknown}, which is not there"


def _moves(repayment: Repayment) -> Iterator[tuple[str, str, Decimal]]:
    """Kind, ledger transaction, and what it adds to the merchant's use."""
    amount = Decimal(repayment.amount)
    yield "repayment", repayment.id, -amount
    if repayment.reversal is not None:
        yield "reversal", repayment.reversal, amount


def _of_balances(accounts: Mapping[Account, Sequence[Entry]], balances: Sequence[Balance]) -> Iterator[str]:
    """What is kept as an account's balance is what its last entry says."""
    kept = {(each.account, each.account_id): (each.number, Decimal(each.amount)) for each in balances}
    told = {account: (entries[-1].number, Decimal(entries[-1].balance_after)) for account, entries in accounts.items()}
    nothing = (0, Decimal(0))
    for account in sorted(kept.keys() | told.keys()):
        here, there = kept.get(account, nothing), told.get(account, nothing)
        if here != there:
            name = f"{account[0]} {account[1]}"
            yield f"{name} stands at {here[1]} (entry {here[0]}), its ledger at {there[1]} ({there[0]})"
