"""The load test's checks see a lie: of each kind of answer one that is true, and ways in which it is not."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from traffic.truths import (
    Answer,
    Untruth,
    check_bulk,
    check_invalid,
    check_ledger,
    check_me,
    check_replay,
    check_shown,
    check_together,
    check_withdrawal,
    check_withdrawals,
)

SHOWN = {"id": "a", "amount": "1.00", "state": "settled", "created_at": "2026-01-01T00:00:00.000000Z"}
REPLAYED = {"Idempotency-Replayed": "true"}


def answer(status: int, members: Any, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, json.dumps(members), headers or {})


def settled(**other: Any) -> Answer:
    return answer(201, SHOWN | other)


def pending(**other: Any) -> Answer:
    return answer(202, SHOWN | {"state": "pending"} | other)


def problem(status: int, code: str, **more: Any) -> Answer:
    return answer(status, {"code": code, **more})


def replay(first: Answer, **other: Any) -> Answer:
    return answer(first.status, first.members | other, REPLAYED)


def failed(identifier: str = "a") -> Answer:
    return problem(409, "payout_failed", withdrawal=SHOWN | {"state": "failed", "id": identifier})


def page(*rows: dict[str, Any]) -> Answer:
    return answer(200, {"results": list(rows), "next": None})


def entry(number: int, amount: str, balance: str) -> dict[str, Any]:
    return {"number": number, "amount": amount, "balance_after": balance}


def made(identifier: str, at: str) -> dict[str, Any]:
    return {"id": identifier, "created_at": at}


def me(limit: str, used: str, available: str) -> Answer:
    return answer(200, {"credit_limit": limit, "utilized_amount": used, "available_credit": available})


def bulk(keys: Sequence[str], amount: str = "1.00", settled_told: int = 2) -> Answer:
    results = [{"idempotency_key": key, "status": 201, "body": SHOWN | {"amount": amount}} for key in keys]
    return answer(207, {"results": results, "summary": {"settled": settled_told, "pending": 0, "refused": 0}})


ASKED = {"k1": "1.00", "k2": "1.00"}
ENTRIES = (entry(3, "-1.00", "2.00"), entry(2, "2.00", "3.00"), entry(1, "1.00", "1.00"))
TRUE: dict[str, Callable[[], object]] = {
    "settled": lambda: check_withdrawal(settled(), "1.0"),
    "pending": lambda: check_withdrawal(pending(), "1.00"),
    "refused": lambda: check_withdrawal(problem(409, "insufficient_credit"), "1.00"),
    "replayed": lambda: check_replay(settled(), replay(settled()), "1.00"),
    "settled since": lambda: check_replay(pending(), replay(settled()), "1.00"),
    "failed since": lambda: check_replay(pending(), replay(failed()), "1.00"),
    "refused again": lambda: check_replay(
        problem(409, "insufficient_pool"), replay(problem(409, "insufficient_pool")), "1"
    ),
    "one of three": lambda: check_together([problem(409, "request_in_progress"), settled(), replay(settled())], "1.00"),
    "no amount": lambda: check_invalid(problem(422, "validation_failed", errors=[{"field": "amount"}])),
    "me": lambda: check_me(me("10.00", "3.00", "7.00")),
    "shown": lambda: check_shown(answer(200, SHOWN), SHOWN | {"state": "pending"}),
    "withdrawals": lambda: check_withdrawals([page(made("b", "2"), made("c", "1")), page(made("a", "1"))]),
    "ledger": lambda: check_ledger([page(*ENTRIES[:2]), page(*ENTRIES[2:])]),
    "bulk": lambda: check_bulk(bulk(["k1", "k2"]), ASKED),
}
UNTRUE: dict[str, Callable[[], object]] = {
    "no answer": lambda: check_withdrawal(Answer(0), "1.00"),
    "no JSON": lambda: check_withdrawal(Answer(201, "<html>"), "1.00"),
    "a server's error": lambda: check_withdrawal(problem(500, "internal_error"), "1.00"),
    "a limit": lambda: check_withdrawal(problem(429, "rate_limited"), "1.00"),
    "a strange refusal": lambda: check_withdrawal(problem(409, "idempotency_key_reused"), "1.00"),
    "another amount": lambda: check_withdrawal(settled(), "1.01"),
    "201 and pending": lambda: check_withdrawal(settled(state="pending"), "1.00"),
    "202 and settled": lambda: check_withdrawal(pending(state="settled"), "1.00"),
    "no id": lambda: check_withdrawal(settled(id=None), "1.00"),
    "a replay with another id": lambda: check_replay(settled(), replay(settled(id="b")), "1.00"),
    "a pending one's with another id": lambda: check_replay(pending(), replay(settled(id="b")), "1.00"),
    "a failed one's with another id": lambda: check_replay(pending(), replay(failed("b")), "1.00"),
    "settled, then pending": lambda: check_replay(settled(), replay(pending()), "1.00"),
    "settled, then failed": lambda: check_replay(settled(), replay(failed()), "1.00"),
    "refused, then settled": lambda: check_replay(problem(409, "insufficient_pool"), replay(settled()), "1.00"),
    "a replay that does not say so": lambda: check_replay(settled(), settled(), "1.00"),
    "one key, two withdrawals": lambda: check_together([settled(), replay(settled(id="b"))], "1.00"),
    "one key, new twice": lambda: check_together([settled(), settled()], "1.00"),
    "a key that nobody decides": lambda: check_together([problem(409, "request_in_progress")] * 2, "1.00"),
    "a wrong amount accepted": lambda: check_invalid(settled()),
    "refused for something else": lambda: check_invalid(problem(422, "validation_failed", errors=[{"field": "x"}])),
    "money from nowhere": lambda: check_me(me("10.00", "3.00", "8.00")),
    "below zero": lambda: check_me(me("10.00", "11.00", "-1.00")),
    "no longer settled": lambda: check_shown(answer(200, SHOWN | {"state": "failed"}), SHOWN),
    "another one": lambda: check_shown(answer(200, SHOWN | {"id": "b"}), SHOWN),
    "one on two pages": lambda: check_withdrawals([page(made("b", "2")), page(made("b", "2"))]),
    "not newest first": lambda: check_withdrawals([page(made("a", "1"), made("b", "2"))]),
    "a page that failed": lambda: check_withdrawals([problem(500, "internal_error")]),
    "a gap": lambda: check_ledger([page(ENTRIES[0]), page(ENTRIES[2])]),
    "a balance that does not add up": lambda: check_ledger([page(entry(2, "1.00", "3.00"), ENTRIES[2])]),
    "bulk that failed": lambda: check_bulk(problem(503, "database_unavailable"), ASKED),
    "an item missing": lambda: check_bulk(bulk(["k1"], settled_told=1), ASKED),
    "items in another order": lambda: check_bulk(bulk(["k2", "k1"]), ASKED),
    "an item of another amount": lambda: check_bulk(bulk(["k1", "k2"], amount="2.00"), ASKED),
    "items miscounted": lambda: check_bulk(bulk(["k1", "k2"], settled_told=1), ASKED),
}


class TestChecks:
    @pytest.mark.parametrize("what", TRUE)
    def test_let_what_is_true_pass(self, what: str) -> None:
        TRUE[what]()

    @pytest.mark.parametrize("what", UNTRUE)
    def test_name_what_is_not(self, what: str) -> None:
        with pytest.raises(Untruth):
            UNTRUE[what]()
