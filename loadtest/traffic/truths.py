"""What an answer must be to be true; knows no locust. Everything else is told as a failure by whoever checks."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

SETTLED, PENDING, MULTI_STATUS, CONFLICT = 201, 202, 207, 409
STATES = {SETTLED: "settled", PENDING: "pending"}
# nothing moved, and the answer says why: no fault of whoever is under test
REFUSALS = frozenset({"insufficient_credit", "insufficient_pool", "merchant_not_active", "payout_failed"})
IN_PROGRESS = "request_in_progress"
MOST_SHOWN = 200


class Untruth(Exception):  # noqa: N818 - not an error of ours
    """An answer that cannot be true, or none at all; the message groups equal ones in locust's report."""


@dataclass(frozen=True)
class Answer:
    """Status 0: there was no answer."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def members(self) -> dict[str, Any]:
        try:
            members = json.loads(self.text)
        except ValueError as error:
            raise Untruth(f"{self.status} without JSON: {self.text[:MOST_SHOWN]}") from error
        if not isinstance(members, dict):
            raise Untruth(f"{self.status} without an object: {self.text[:MOST_SHOWN]}")
        return members

    @property
    def code(self) -> str | None:
        """The code of a problem."""
        return self.members.get("code")

    @property
    def is_accepted(self) -> bool:
        return self.status in STATES

    @property
    def withdrawal(self) -> dict[str, Any]:
        """The withdrawal that it shows; empty if it shows none."""
        members = self.members if self.is_accepted else self.members.get("withdrawal", {})
        return dict(members)


def expect(*, truth: bool, otherwise: str) -> None:
    if not truth:
        raise Untruth(otherwise)


def unexpected(answer: Answer) -> Untruth:
    return Untruth(f"{answer.status}: {answer.text[:MOST_SHOWN]}" if answer.status else "no answer")


def check_withdrawal(answer: Answer, amount: str) -> None:
    """Accepted with the state that belongs to the status and the amount that was asked for, or honestly refused."""
    if answer.status == CONFLICT and answer.code in REFUSALS:
        return
    if not answer.is_accepted:
        raise unexpected(answer)
    shown = answer.withdrawal
    expect(truth=shown.get("state") == STATES[answer.status], otherwise=f"{answer.status} with another state")
    expect(truth=Decimal(shown.get("amount", "NaN")) == Decimal(amount), otherwise="another amount than asked for")
    expect(truth=bool(shown.get("id")), otherwise="accepted without an id")


def check_shown(answer: Answer, first: Mapping[str, Any]) -> None:
    """A withdrawal by its id: as it was made, and once it was settled, settled."""
    if answer.status != 200:  # noqa: PLR2004
        raise unexpected(answer)
    for name in ("id", "amount", "created_at"):
        expect(truth=answer.members.get(name) == first[name], otherwise=f"a withdrawal with another {name}")
    is_as_told = first["state"] == "pending" or answer.members.get("state") == first["state"]
    expect(truth=is_as_told, otherwise="a settled withdrawal that is no longer settled")


def check_replay(first: Answer, again: Answer, amount: str) -> None:
    """The same key tells the same: a final answer to the letter, a pending one by its id."""
    if first.is_accepted or first.code == "payout_failed":
        check_withdrawal(again, amount)
        same = again.withdrawal.get("id") == first.withdrawal.get("id")
        expect(truth=same, otherwise="a replay with another id")
    if first.status != PENDING:
        same = (first.status, first.members) == (again.status, again.members)
        expect(truth=same, otherwise=f"a replay with another answer: {again.status} after {first.status}")
    expect(truth=again.headers.get("Idempotency-Replayed") == "true", otherwise="a replay that does not say so")


def check_together(answers: Sequence[Answer], amount: str) -> None:
    """Of one key that was sent several times at once: one withdrawal, or one refusal; some may be told to wait."""
    decided = [each for each in answers if not (each.status == CONFLICT and each.code == IN_PROGRESS)]
    expect(truth=bool(decided), otherwise="a key that only ever is in progress")
    for each in decided:
        check_withdrawal(each, amount)
    expect(truth=len({each.withdrawal.get("id") for each in decided}) == 1, otherwise="one key, several withdrawals")
    firsts = [each for each in decided if each.headers.get("Idempotency-Replayed") != "true"]
    expect(truth=len(firsts) <= 1, otherwise="one key, served as new more than once")


def check_invalid(answer: Answer) -> None:
    """An amount that is none is refused as that."""
    is_told = answer.status == 422 and answer.code == "validation_failed"  # noqa: PLR2004
    if not is_told:
        raise unexpected(answer)
    fields = {each.get("field") for each in answer.members.get("errors", [])}
    expect(truth="amount" in fields, otherwise=f"refused for {fields}, not for its amount")


def check_me(answer: Answer) -> None:
    """What is used and what is available make up the limit."""
    if answer.status != 200:  # noqa: PLR2004
        raise unexpected(answer)
    limit, used, available = (
        Decimal(answer.members[name]) for name in ("credit_limit", "utilized_amount", "available_credit")
    )
    expect(truth=min(limit, used, available) >= 0, otherwise="a balance below zero")
    expect(truth=used + available == limit, otherwise="used and available are not the limit")


def check_withdrawals(pages: Sequence[Answer]) -> None:
    """Newest first, and none twice."""
    rows = _rows(pages)
    _check_once("withdrawals", [each["id"] for each in rows])
    _check_newest_first("withdrawals", [each["created_at"] for each in rows])


def check_ledger(pages: Sequence[Answer]) -> None:
    """Newest first, numbered without a gap, each balance the one before it and its own amount."""
    rows = _rows(pages)
    for newer, older in itertools.pairwise(rows):
        expect(truth=newer["number"] == older["number"] + 1, otherwise="the ledger's numbers have a gap")
        balance = Decimal(older["balance_after"]) + Decimal(newer["amount"])
        expect(truth=balance == Decimal(newer["balance_after"]), otherwise="the ledger's balances do not add up")


def _rows(pages: Sequence[Answer]) -> list[dict[str, Any]]:
    for page in pages:
        if page.status != 200:  # noqa: PLR2004
            raise unexpected(page)
    return [row for page in pages for row in page.members["results"]]


def _check_once(what: str, values: Sequence[str]) -> None:
    expect(truth=len(values) == len(set(values)), otherwise=f"{what}: one is on two pages")


def _check_newest_first(what: str, values: Sequence[str]) -> None:
    expect(truth=list(values) == sorted(values, reverse=True), otherwise=f"{what}: not newest first")


def check_bulk(answer: Answer, amounts: Mapping[str, str]) -> dict[str, Answer]:
    """Each item's answer by its key, in the order of the request, each true for itself, and counted right."""
    if answer.status != MULTI_STATUS:
        raise unexpected(answer)
    results = answer.members["results"]
    in_order = [each["idempotency_key"] for each in results] == list(amounts)
    expect(truth=in_order, otherwise="the items' answers are not the items of the request")
    answers = {each["idempotency_key"]: Answer(each["status"], json.dumps(each["body"])) for each in results}
    for key, each in answers.items():
        check_withdrawal(each, amounts[key])
    counted = {state: sum(each.status == status for each in answers.values()) for status, state in STATES.items()}
    told = answer.members["summary"]
    expect(truth=all(told[state] == count for state, count in counted.items()), otherwise="the summary is miscounted")
    return answers
