"""The second pair of eyes on the ledger sees each kind of wrong, at whatever moment of it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from etebar_verify.books import Balance, Books, Entry, Repayment, Withdrawal
from etebar_verify.ledger import lies, lies_of_merchants


@dataclass
class Ledger:
    """A ledger that is right, to be changed by one wrong each."""

    withdrawals: list[Withdrawal]
    entries: list[Entry]
    balances: list[Balance]
    repayments: list[Repayment] = field(default_factory=list)

    def found(self) -> list[str]:
        return lies(Books(self.withdrawals, (), (), self.entries, self.balances, self.repayments))

    def entry(self, account: str, number: int, **other: object) -> None:
        """Changes one entry."""
        self.entries = [
            replace(each, **other) if (each.account, each.number) == (account, number) else each
            for each in self.entries
        ]

    def remove(self, account: str, number: int) -> None:
        self.entries = [each for each in self.entries if (each.account, each.number) != (account, number)]

    def balance(self, account: str, **other: object) -> None:
        self.balances = [replace(each, **other) if each.account == account else each for each in self.balances]

    def withdrawal(self, identifier: str, **other: object) -> None:
        self.withdrawals = [replace(each, **other) if each.id == identifier else each for each in self.withdrawals]

    def repay(self, identifier: str, **other: object) -> None:
        self.repayments = [replace(each, **other) if each.id == identifier else each for each in self.repayments]

    def append(self, transaction: str, *postings: tuple[str, str, str], withdrawal: str | None = None) -> None:
        """A transaction that is right in itself: (kind, account, amount) each."""
        for kind, account, amount in postings:
            (stands,) = [each for each in self.balances if each.account == account]
            number, after = stands.number + 1, str(Decimal(stands.amount) + Decimal(amount))
            self.entries.append(Entry(transaction, kind, account, stands.account_id, number, amount, after, withdrawal))
            self.balance(account, number=number, amount=after)


def right() -> Ledger:
    """A top-up, a settled withdrawal of 4 and a failed one of 5, under a limit of 10; 1 and 2 paid back, 2 reversed."""
    ledger = Ledger(
        withdrawals=[
            Withdrawal("settled", "a", 7, "4.00", "settled", "10.00"),
            Withdrawal("failed", "b", 7, "5.00", "failed", "10.00"),
        ],
        entries=[],
        balances=[Balance("pool", 1, 0, "0"), Balance("funding", 1, 0, "0"), Balance("merchant", 7, 0, "0")],
    )
    ledger.append("t", ("top_up", "pool", "9.00"), ("top_up", "funding", "-9.00"))
    for each in ("settled", "failed"):
        amount = {"settled": "4.00", "failed": "5.00"}[each]
        ledger.append(each, ("reserve", "merchant", amount), ("reserve", "pool", f"-{amount}"), withdrawal=each)
    ledger.append("r", ("release", "merchant", "-5.00"), ("release", "pool", "5.00"), withdrawal="failed")
    ledger.append("one", ("repayment", "merchant", "-1.00"), ("repayment", "pool", "1.00"))
    ledger.append("two", ("repayment", "merchant", "-2.00"), ("repayment", "pool", "2.00"))
    ledger.append("back", ("reversal", "merchant", "2.00"), ("reversal", "pool", "-2.00"))
    ledger.repayments = [Repayment("one", 7, "1.00"), Repayment("two", 7, "2.00", "back")]
    return ledger


def reserve_twice(ledger: Ledger) -> None:
    ledger.append("x", ("reserve", "merchant", "4.00"), ("reserve", "pool", "-4.00"), withdrawal="settled")


def release_twice(ledger: Ledger) -> None:
    ledger.append("x", ("release", "merchant", "-5.00"), ("release", "pool", "5.00"), withdrawal="failed")


def release_settled(ledger: Ledger) -> None:
    ledger.append("x", ("release", "merchant", "-4.00"), ("release", "pool", "4.00"), withdrawal="settled")


def reserve_unknown(ledger: Ledger) -> None:
    ledger.append("x", ("reserve", "merchant", "1.00"), ("reserve", "pool", "-1.00"), withdrawal="unknown")


def overdraw(ledger: Ledger) -> None:
    """More than there is, and given back: only in between it was too much."""
    ledger.balances.append(Balance("adjustment", 1, 0, "0"))
    ledger.append("x", ("adjustment", "pool", "-7.00"), ("adjustment", "adjustment", "7.00"))
    ledger.append("y", ("adjustment", "pool", "7.00"), ("adjustment", "adjustment", "-7.00"))


def release_for_nothing(ledger: Ledger) -> None:
    """A settled withdrawal's amount comes back, and no withdrawal says so."""
    ledger.append("x", ("release", "merchant", "-4.00"), ("release", "pool", "4.00"))


def reserve_for_nothing(ledger: Ledger) -> None:
    ledger.append("x", ("reserve", "merchant", "5.00"), ("reserve", "pool", "-5.00"))


def adjust_a_merchant(ledger: Ledger) -> None:
    ledger.append("x", ("adjustment", "merchant", "1.00"), ("adjustment", "pool", "-1.00"))


def repay_twice(ledger: Ledger) -> None:
    ledger.append("one", ("repayment", "merchant", "-1.00"), ("repayment", "pool", "1.00"))


def top_up_a_merchant(ledger: Ledger) -> None:
    ledger.append("x", ("top_up", "merchant", "1.00"), ("top_up", "funding", "-1.00"))


WRONGS: dict[str, tuple[Callable[[Ledger], object], str]] = {
    "money made in a transaction": (lambda it: it.entry("pool", 1, amount="10.00"), "makes or loses 1.00"),
    "an entry lost": (lambda it: it.remove("merchant", 2), "entry 3 is where 2 should be"),
    "the last entry lost": (lambda it: it.remove("merchant", 6), "stands at 3.00 (entry 6), its ledger at 1.00"),
    "a balance that does not follow": (lambda it: it.entry("pool", 2, balance_after="6.00"), "its entries sum to 5.00"),
    "a pool that was below zero for a moment": (overdraw, "less than nothing"),
    "a limit exceeded for a moment": (lambda it: it.withdrawal("failed", accepted_limit="8.99"), "over the limit 8.99"),
    "reserved twice": (reserve_twice, "is posted as"),
    "released twice": (release_twice, "is posted as"),
    "released without a withdrawal": (release_for_nothing, "is a release of no withdrawal"),
    "reserved without a withdrawal": (reserve_for_nothing, "is a reserve of no withdrawal"),
    "an adjustment of a merchant": (adjust_a_merchant, "is a adjustment of no withdrawal"),
    "a top-up of a merchant": (top_up_a_merchant, "is a top_up of no withdrawal"),
    "a kind that there is not": (lambda it: it.entry("pool", 1, kind="gift"), "is a gift"),
    "paid back by nobody": (lambda it: it.repayments.pop(0), "of repayment one, which is not there"),
    "another amount paid back": (lambda it: it.repay("one", amount="1.50"), "the repayment one of 1.50"),
    "another merchant paid back": (lambda it: it.repay("one", merchant=8), "the repayment one"),
    "paid back twice": (repay_twice, "the repayment one"),
    "reversed by nobody": (lambda it: it.repay("two", reversal=None), "of repayment back, which is not there"),
    "reversed and not posted": (lambda it: it.repay("one", reversal="never"), "the reversal never"),
    "settled and released": (release_settled, "is posted as"),
    "failed and not released": (lambda it: it.withdrawal("settled", state="failed"), "is posted as"),
    "another amount reserved": (lambda it: it.withdrawal("settled", amount="3.00"), "is posted as"),
    "another merchant's credit used": (lambda it: it.withdrawal("settled", merchant=8), "is posted as"),
    "a withdrawal that is not posted": (
        lambda it: it.withdrawals.append(Withdrawal("new", "c", 7, "1.00", "settled")),
        "is posted as nothing",
    ),
    "a withdrawal that is not there": (reserve_unknown, "of withdrawal unknown"),
    "a balance of another amount": (lambda it: it.balance("pool", amount="5.01"), "money was made or lost"),
    "a balance without entries": (
        lambda it: it.balances.append(Balance("merchant", 8, 1, "1.00")),
        "merchant 8 stands at 1.00",
    ),
}


class TestTheLedgerOfSomeMerchants:
    def test_leaves_the_pool_to_others(self) -> None:
        ledger = right()
        ledger.remove("pool", 1)
        ledger.remove("funding", 1)
        some = Books(ledger.withdrawals, (), (), ledger.entries, ledger.balances[-1:], ledger.repayments)
        assert lies_of_merchants(some) == []
        ledger.remove("merchant", 3)
        assert lies_of_merchants(replace(some, entries=ledger.entries)) != []


class TestALedger:
    def test_that_is_right_is_told_so(self) -> None:
        assert right().found() == []

    @pytest.mark.parametrize("wrong", WRONGS)
    def test_that_is_wrong_is_told_what_is(self, wrong: str) -> None:
        make, sentence = WRONGS[wrong]
        ledger = right()
        make(ledger)
        assert any(sentence in found for found in ledger.found()), ledger.found()
