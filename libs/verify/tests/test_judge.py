"""The judge sees what it claims to see: of a true history nothing, of a forged one each kind of lie."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from etebar_verify.books import Books, Payment, Withdrawal
from etebar_verify.history import Broken, Event, Sent, Told
from etebar_verify.judge import lies


@dataclass
class Forgery:
    """A history and books that agree, to be changed by one lie each."""

    events: list[Event] = field(default_factory=list)
    withdrawals: list[Withdrawal] = field(default_factory=list)
    payouts: list[Payment] = field(default_factory=list)
    transfers: list[Payment] = field(default_factory=list)

    def found(self) -> list[str]:
        return lies(self.events, Books(self.withdrawals, self.payouts, self.transfers))

    def told(self, key: str) -> Told:
        """The last answer to a key."""
        return [each for each in self.events if isinstance(each, Told) and each.key == key][-1]

    def tell(self, key: str, **other: object) -> None:
        """Changes the last answer to a key."""
        told = self.told(key)
        self.events[self.events.index(told)] = replace(told, **other)

    def book(self, identifier: str, **other: object) -> None:
        """Changes a withdrawal."""
        self.withdrawals = [replace(each, **other) if each.id == identifier else each for each in self.withdrawals]

    def pay(self, kind: str, identifier: str, **other: object) -> None:
        """Changes a payout or a transfer."""
        payments = self.payments(kind)
        payments[:] = [replace(each, **other) if each.withdrawal == identifier else each for each in payments]

    def payments(self, kind: str) -> list[Payment]:
        """Payouts or transfers."""
        return {"payouts": self.payouts, "transfers": self.transfers}[kind]


def truth() -> Forgery:
    """One key of each kind: settled, settled after pending, failed, refused, unanswered and booked, or nowhere."""
    booked = {"settled": "1.00", "slow": "2.00", "failed": "3.00", "unheard": "4.00"}
    states = dict.fromkeys(booked, "settled") | {"failed": "failed"}
    paid = {"settled": "paid", "failed": "refused"}
    payments = [Payment(f"id-{key}", booked[key], paid[states[key]], 1, "account") for key in booked]
    return Forgery(
        events=[
            *(Sent(key, 1, amount, is_patient=key != "unheard") for key, amount in booked.items()),
            Sent("refused", 1, "5.00"),
            Sent("nowhere", 1, "6.00", is_patient=False),
            Broken(("settled", "unheard", "nowhere"), "reset"),
            Told("settled", 503, "database_unavailable", says_when=True),
            Told("settled", 409, "request_in_progress"),
            Told("settled", 201, None, "id-settled", "1.00", "settled"),
            Told("slow", 202, None, "id-slow", "2.00", "pending"),
            Told("slow", 201, None, "id-slow", "2.00", "settled"),
            Told("failed", 409, "payout_failed", "id-failed", "3.00", "failed"),
            Told("refused", 409, "insufficient_credit"),
        ],
        withdrawals=[Withdrawal(f"id-{key}", key, 1, booked[key], states[key], "100.00", "account") for key in booked],
        payouts=payments,
        transfers=list(payments),
    )


def twice(forgery: Forgery) -> None:
    forgery.withdrawals.append(Withdrawal("id-second", "settled", 1, "1.00", "failed"))


LIES: dict[str, tuple[Callable[[Forgery], object], str]] = {
    "an accepted withdrawal is lost": (lambda told: told.withdrawals.pop(0), "booked is None"),
    "a pending one is lost": (lambda told: told.withdrawals.pop(1), "booked is None"),
    "a failed one is lost": (lambda told: told.withdrawals.pop(2), "booked is None"),
    "a key has two withdrawals": (twice, "has 2 withdrawals"),
    "an answer has another id": (lambda told: told.tell("settled", id="id-other"), "id-other"),
    "a replay has another id": (lambda told: told.tell("slow", id="id-other"), "id-other"),
    "an answer has another amount": (lambda told: told.tell("settled", amount="1.01"), "was told the amount 1.01"),
    "an answer has no amount": (lambda told: told.tell("settled", amount=None), "was told the amount None"),
    "another amount is booked": (lambda told: told.book("id-unheard", amount="4.01"), "4.00 was asked for"),
    "another merchant's is booked": (lambda told: told.book("id-settled", merchant=2), "is merchant 2's"),
    "told settled, booked failed": (lambda told: told.book("id-settled", state="failed"), "was told settled"),
    "told failed, booked settled": (lambda told: told.book("id-failed", state="settled"), "was told failed"),
    "201 with a pending one": (lambda told: told.tell("settled", state="pending"), "contradict each other"),
    "202 with a settled one": (lambda told: told.tell("slow", status=202), "contradict each other"),
    "told refused, yet booked": (
        lambda told: told.withdrawals.append(Withdrawal("id-refused", "refused", 1, "5.00", "failed")),
        "but has withdrawal id-refused",
    ),
    "two different ends": (lambda told: told.events.append(Told("refused", 409, "insufficient_pool")), "different"),
    "settled, then pending": (
        lambda told: told.events.append(Told("settled", 202, None, "id-settled", "1.00", "pending")),
        "different ends",
    ),
    "pending, settled, then pending again": (
        lambda told: told.events.append(Told("slow", 202, None, "id-slow", "2.00", "pending")),
        "different ends: 201 settled, then 202 pending",
    ),
    "settled, then still in progress": (
        lambda told: told.events.append(Told("settled", 409, "request_in_progress")),
        "different ends",
    ),
    "a success that is no answer": (
        lambda told: told.tell("settled", status=200),
        "which is no answer to a withdrawal",
    ),
    "the bank paid what people said it had not": (
        lambda told: (
            told.pay("payouts", "id-failed", by_people=True),
            told.pay("transfers", "id-failed", state="paid"),
        ),
        "with 1 paid transfers",
    ),
    "the bank paid twice what people said it had": (
        lambda told: (told.pay("payouts", "id-slow", by_people=True), told.transfers.append(told.transfers[1])),
        "with 2 paid transfers",
    ),
    "away, and not for how long": (
        lambda told: told.events.append(Told("unheard", 503, "database_unavailable", says_when=False)),
        "not when to ask again",
    ),
    "a good request called wrong": (lambda told: told.events.append(Told("settled", 422, "x")), "nothing was wrong"),
    "an answer without a request": (lambda told: told.events.append(Told("strange", 201)), "never sent"),
    "a patient client never answered": (lambda told: told.events.remove(told.told("refused")), "never answered"),
    "a withdrawal without a key": (lambda told: told.book("id-unheard", key=None), "nobody asked for"),
    "one that nobody asked for": (lambda told: told.book("id-unheard", key="strange"), "nobody asked for"),
    "one that is pending for ever": (lambda told: told.book("id-slow", state="pending"), "still pending"),
}
LIES_OF_PAYMENTS: dict[str, tuple[Callable[[Forgery, str], object], str]] = {
    "a settled one not paid": (lambda told, kind: told.payments(kind).pop(0), "with 0 paid"),
    "a settled one paid twice": (lambda told, kind: told.payments(kind).append(told.payments(kind)[0]), "with 2 paid"),
    "a settled one not paid yet": (lambda told, kind: told.pay(kind, "id-unheard", state="pending"), "with 0 paid"),
    "a failed one paid": (lambda told, kind: told.pay(kind, "id-failed", state="paid"), "with 1 paid"),
    "another amount paid": (lambda told, kind: told.pay(kind, "id-slow", amount="9.00"), "of 9.00"),
    "paid to another account": (lambda told, kind: told.pay(kind, "id-slow", fingerprint="other"), "another account"),
    "paid to an account that is not known": (
        lambda told, kind: told.pay(kind, "id-slow", fingerprint=None),
        "one that is not known",
    ),
    "paid for another merchant": (lambda told, kind: told.pay(kind, "id-slow", merchant=9), "merchant 9's"),
    "paid by hand under its id": (
        lambda told, kind: told.payments(kind).append(replace(told.payments(kind)[0], is_test=True)),
        "with 2 paid",
    ),
    "paid for nobody": (
        lambda told, kind: told.payments(kind).append(Payment("id-strange", "1.00", "paid")),
        "which is no withdrawal",
    ),
}


class TestTheJudge:
    def test_finds_nothing_in_a_true_history(self) -> None:
        assert truth().found() == []

    def test_believes_people_who_decided_what_the_bank_could_not_tell(self) -> None:
        forgery = truth()
        forgery.pay("payouts", "id-slow", by_people=True)
        forgery.transfers = [each for each in forgery.transfers if each.withdrawal != "id-slow"]
        assert forgery.found() == []

    @pytest.mark.parametrize("kind", ["payouts", "transfers"])
    def test_leaves_what_was_tried_by_hand_alone(self, kind: str) -> None:
        forgery = truth()
        forgery.payments(kind).append(Payment("id-by-hand", "1.00", "paid", 1, "account", is_test=True))
        assert forgery.found() == []

    def test_leaves_other_merchants_to_themselves(self) -> None:
        forgery = truth()
        forgery.withdrawals.append(Withdrawal("id-theirs", "theirs", 2, "1.00", "pending"))
        forgery.payouts.append(Payment("id-not-read-yet", "1.00", "paid", 2))
        assert forgery.found() == []

    @pytest.mark.parametrize("lie", LIES)
    def test_names_each_kind_of_lie(self, lie: str) -> None:
        forge, sentence = LIES[lie]
        forgery = truth()
        forge(forgery)
        assert any(sentence in found for found in forgery.found()), forgery.found()

    @pytest.mark.parametrize("kind", ["payouts", "transfers"])
    @pytest.mark.parametrize("lie", LIES_OF_PAYMENTS)
    def test_names_each_kind_of_wrong_payment(self, lie: str, kind: str) -> None:
        forge, sentence = LIES_OF_PAYMENTS[lie]
        forgery = truth()
        forge(forgery, kind)
        assert any(sentence in found and kind[:-1] in found for found in forgery.found()), forgery.found()
