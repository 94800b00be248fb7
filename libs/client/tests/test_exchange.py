"""What answers prove, without a network: money that may have moved is never told as money that has not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from etebar_client import NoAnswer, Refused
from etebar_client.exchange import Answer, Broken, Call, Pause, Steps
from etebar_client.operations import Days, Operations
from etebar_client.webhooks import NotSigned, verify

KEY = "order-4711"
MADE = {
    "id": "01a2",
    "amount": "3.00",
    "state": "settled",
    "failure_code": None,
    "created_at": "2026-11-28T10:00:00Z",
    "finalized_at": "2026-11-28T10:00:01Z",
}
PENDING = MADE | {"state": "pending", "finalized_at": None}
LOST = Broken("connection reset")
PAGE = Answer(200, {"content-type": "text/html"}, b"<h1>hello</h1>")
MOVED = Answer(308, {"location": "https://pay.example/"}, b"")


def told(status: int, members: object) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps(members).encode())


def problem(status: int, code: str) -> Answer:
    return Answer(status, {"content-type": "application/problem+json"}, json.dumps({"code": code}).encode())


PAID, TOKEN = told(201, MADE), told(200, {"access": "a", "refresh": "r"})
BAD_TOKEN, BAD_PASSWORD = problem(401, "token_invalid"), problem(401, "credentials_invalid")


def run(steps: Steps[Any], *outcomes: Answer | Broken) -> Any:
    """What comes of steps that are answered so; the last answer comes again and again."""
    given: Iterator[Answer | Broken] = iter(outcomes)
    outcome: Answer | Broken | None = None
    last = outcomes[-1]
    while True:
        try:
            step = steps.send(outcome)
        except StopIteration as done:
            return done.value
        outcome = None if isinstance(step, Pause) else next(given, last)


def withdraw(*outcomes: Answer | Broken, seconds: float = 0.0, **who: str) -> Any:
    operations = Operations(**(who or {"api_key": "etk_"}), attempts=3)
    return run(operations.withdraw("3.00", key=KEY, wait_seconds=seconds, respond_async=False), *outcomes)


class TestAWithdrawal:
    @pytest.mark.parametrize(
        "before",
        [
            [],
            [LOST, LOST],
            [problem(503, "database_unavailable")],
            [Answer(524, {}, b"")],
            [problem(409, "request_in_progress"), problem(429, "rate_limited")],
        ],
    )
    def test_is_asked_for_until_there_is_an_answer(self, before: list[Answer | Broken]) -> None:
        assert withdraw(*before, PAID).state == "settled"

    @pytest.mark.parametrize(
        "outcomes",
        [
            [problem(409, "insufficient_credit")],
            [LOST, problem(409, "payout_failed")],
            [LOST, problem(422, "idempotency_key_reused")],
            [BAD_TOKEN],
            [problem(403, "scope_missing")],
            # nothing was done by what came too fast
            [problem(429, "rate_limited"), problem(403, "scope_missing")],
        ],
    )
    def test_is_refused_when_that_is_certain(self, outcomes: list[Answer | Broken]) -> None:
        with pytest.raises(Refused):
            withdraw(*outcomes)

    @pytest.mark.parametrize(
        "outcomes",
        [
            [LOST],
            [Answer(501, {}, b""), Answer(520, {}, b""), Answer(524, {}, b"")],
            [LOST, BAD_TOKEN],
            [LOST, problem(403, "permission_denied")],
            [LOST, problem(404, "not_found")],
            [problem(500, "internal_error"), BAD_TOKEN],
            [problem(409, "request_in_progress"), BAD_TOKEN],
            # a proxy says what it likes
            [Answer(403, {"content-type": "text/html"}, b"no")],
            [PAGE],
            [MOVED],
            [told(200, [1])],
            [told(200, {"id": 1})],
            [Answer(201, {"content-type": "application/json"}, b"{")],
        ],
    )
    def test_is_not_known_otherwise_and_its_key_is_told(self, outcomes: list[Answer | Broken]) -> None:
        with pytest.raises(NoAnswer) as unknown:
            withdraw(*outcomes)
        assert unknown.value.key == KEY
        assert KEY in str(unknown.value)

    @pytest.mark.parametrize("later", [[told(200, PENDING)], [LOST], [BAD_TOKEN], [problem(404, "not_found")], [PAGE]])
    def test_that_was_pending_is_not_known_whatever_a_look_at_it_says(self, later: list[Answer | Broken]) -> None:
        with pytest.raises(NoAnswer) as unknown:
            withdraw(told(202, PENDING), *later, seconds=0.1)
        assert unknown.value.key == KEY

    def test_that_was_pending_is_what_it_becomes(self) -> None:
        assert withdraw(told(202, PENDING), told(200, MADE | {"state": "failed"}), seconds=9).state == "failed"

    @pytest.mark.parametrize("wrong", ["", "\n", "ک", "a" * 256, " a"])
    def test_under_what_is_no_key_is_not_asked_for(self, wrong: str) -> None:
        steps = Operations("etk_").withdraw("3.00", key=wrong, wait_seconds=0.0, respond_async=False)
        with pytest.raises(ValueError, match="expected a key"):
            next(steps)


class TestAToken:
    who = {"username": "shop", "password": "p"}

    def test_that_is_over_is_replaced(self) -> None:
        assert withdraw(TOKEN, BAD_TOKEN, TOKEN, PAID, **self.who).state == "settled"
        assert withdraw(TOKEN, LOST, BAD_TOKEN, TOKEN, PAID, **self.who).state == "settled"

    def test_that_is_refused_before_anything_was_asked_is_a_refusal(self) -> None:
        with pytest.raises(Refused, match="credentials_invalid"):
            withdraw(BAD_PASSWORD, **self.who)

    @pytest.mark.parametrize("outcomes", [[LOST, BAD_TOKEN, LOST], [LOST, BAD_TOKEN, BAD_PASSWORD]])
    def test_that_cannot_be_replaced_leaves_the_withdrawal_unknown(self, outcomes: list[Answer | Broken]) -> None:
        with pytest.raises(NoAnswer) as unknown:
            withdraw(TOKEN, *outcomes, **self.who)
        assert unknown.value.key == KEY


class TestAFile:
    def test_is_what_it_says_it_is(self) -> None:
        steps = Operations("etk_").statement_file(Days.month(2026, 11), "pdf", "en")
        assert run(steps, Answer(200, {"content-type": "application/pdf"}, b"%PDF")) == b"%PDF"
        with pytest.raises(NoAnswer, match="no Etebar's answer"):
            run(Operations("etk_").statement_file(Days.month(2026, 11), "pdf", "en"), PAGE)
        with pytest.raises(ValueError, match="expected pdf or csv"):
            next(Operations("etk_").statement_file(Days.month(2026, 11), "doc", "en"))


def test_what_changes_nothing_is_refused_as_it_is() -> None:
    with pytest.raises(Refused, match="token_invalid"):
        run(Operations("etk_").account(), LOST, BAD_TOKEN)
    call = Call("GET", "/api/v1/me")
    assert call.all_headers() == {"Accept": "application/json"}


@pytest.mark.parametrize("signature", ["v1", "v1,a,b", "v1,é", "", "v1,AA=="])
@pytest.mark.parametrize("body", [b"{}", b"\xff"])
def test_whatever_a_stranger_sends_is_not_signed(signature: str, body: bytes) -> None:
    headers = {"webhook-id": "1", "webhook-timestamp": "1", "webhook-signature": signature}
    with pytest.raises(NotSigned):
        verify(body, headers, ["whsec_AAAA"])
