"""300 clients hang up in the middle of a withdrawal: nobody behind them waits, and nothing of theirs stays open."""

import contextlib
import functools
import json
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from etebar_quickstart.stack import Stack

from . import books
from .api import Merchant, new_key
from .load import all_at_once
from .platform import Platform
from .waiting import wait_until

EACH = 60
# No performance test: half the time that a withdrawal may wait for its outcome.
AT_ONCE_SECONDS = 2.0
SLOW_ACCOUNT, REFUSED_ACCOUNT = "IRTESTSLOW0000000001", "IRTESTREFUSED0000001"
# Dropped at once: what the client has not read, and what it has not sent, is lost.
RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """A withdrawal as bytes on their way."""

    key: str
    head: bytes
    body: bytes

    @classmethod
    def of(cls, merchant: Merchant) -> "Request":
        key, body = new_key(), json.dumps({"amount": "0.10"}).encode()
        headers = merchant.token | {
            "Host": "127.0.0.1",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Idempotency-Key": key,
        }
        lines = ["POST /api/v1/withdrawals HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return cls(key, "\r\n".join([*lines, "", ""]).encode(), body)


HangUp = Callable[[socket.socket, Request], object]


def half_of_the_headers(line: socket.socket, request: Request) -> None:
    line.sendall(request.head[: len(request.head) // 2])


def half_of_the_body(line: socket.socket, request: Request) -> None:
    line.sendall(request.head + request.body[: len(request.body) // 2])


def all_of_it(line: socket.socket, request: Request) -> None:
    line.sendall(request.head + request.body)


def all_and_a_wait(line: socket.socket, request: Request) -> None:
    """Waits for the answer a little, and for a slow bank's not long enough."""
    all_of_it(line, request)
    select.select([line], [], [], 0.3)


# None of the first two can be a withdrawal; each of the others is whole before its client is gone.
INCOMPLETE: dict[str, HangUp] = {"half of the headers": half_of_the_headers, "half of the body": half_of_the_body}
COMPLETE: dict[str, HangUp] = {"all of it": all_of_it, "all, and a wait": all_and_a_wait}


def hang_up(stack: Stack, merchant: Merchant, act: HangUp) -> str:
    """Sends as far as the act goes and drops the connection; returns the key."""
    request = Request.of(merchant)
    with socket.create_connection(("127.0.0.1", stack.ports.core), timeout=20) as line:
        act(line, request)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    return request.key


def hang_up_often(stack: Stack, merchant: Merchant, act: HangUp, times: int = EACH) -> list[str]:
    return all_at_once(functools.partial(hang_up, stack, merchant, act), times)


def assert_served_at_once(merchant: Merchant) -> None:
    begun = time.monotonic()
    answer = merchant.withdraw("0.20")
    assert (answer.status_code, answer.json()["state"]) == (201, "settled"), answer.text
    assert time.monotonic() - begun < AT_ONCE_SECONDS


@dataclass(frozen=True)
class Merchants:
    ordinary: Merchant
    slow: Merchant
    refused: Merchant


@pytest.fixture(scope="module")
def merchants(session_platform: Platform) -> Merchants:
    session_platform.revive()
    make = functools.partial(session_platform.api.merchant, limit="1000.00")
    return Merchants(make(), make(account=SLOW_ACCOUNT), make(account=REFUSED_ACCOUNT))


@pytest.fixture(scope="module")
def hung_up(session_platform: Platform, merchants: Merchants) -> dict[str, list[str]]:
    """The keys of 300 clients by how far they came; after each kind the next ordinary withdrawal is served at once."""
    stack, keys = session_platform.stack, {}
    for name, act in {**INCOMPLETE, **COMPLETE}.items():
        keys[name] = hang_up_often(stack, merchants.ordinary, act)
        assert_served_at_once(merchants.ordinary)
    keys["slow bank"] = hang_up_often(stack, merchants.slow, all_and_a_wait, EACH // 2)
    keys["refusing bank"] = hang_up_often(stack, merchants.refused, all_of_it, EACH // 2)
    assert_served_at_once(merchants.ordinary)
    return keys


def made_by(stack: Stack, keys: list[str]) -> list[tuple[str, str]]:
    """Keys and states of the withdrawals that the keys made, one member per withdrawal."""
    statement = """SELECT k.key, w.state FROM payments_idempotencykey k
        JOIN payments_withdrawal w ON w.id = k.withdrawal_id WHERE k.key = ANY(%s)"""
    return books.query(stack.dsn("etebar_audit"), statement, keys)


def left_open(stack: Stack) -> list[tuple[object, ...]]:
    """Connections that are in a transaction, and advisory locks, of the services."""
    statement = """SELECT a.usename, a.state, a.query, l.mode FROM pg_stat_activity a
        LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory'
        WHERE a.usename IN ('wallet_app', 'settlement_app')
        AND (a.state IN ('idle in transaction', 'idle in transaction (aborted)') OR l.pid IS NOT NULL)"""
    return books.query(stack.dsn("postgres", "postgres"), statement)


@contextlib.contextmanager
def half_sent(stack: Stack, merchant: Merchant, act: HangUp, count: int) -> Iterator[None]:
    """Clients that have sent as much as the act sends, and neither go on nor hang up."""
    with contextlib.ExitStack() as lines:
        for _ in range(count):
            line = lines.enter_context(socket.create_connection(("127.0.0.1", stack.ports.core), timeout=20))
            act(line, Request.of(merchant))
        yield


class TestClientsThatHangUp:
    def test_keep_nobody_else_from_being_served_at_once(
        self, merchants: Merchants, hung_up: dict[str, list[str]]
    ) -> None:
        assert sum(map(len, hung_up.values())) == 5 * EACH
        assert_served_at_once(merchants.ordinary)

    def test_leave_no_transaction_and_no_advisory_lock(self, stack: Stack, hung_up: dict[str, list[str]]) -> None:
        # a transaction that is at work at this moment is none that was left
        wait_until("nothing is open", lambda: not left_open(stack))

    @pytest.mark.parametrize("how", INCOMPLETE)
    def test_make_no_withdrawal_of_half_a_request(self, stack: Stack, hung_up: dict[str, list[str]], how: str) -> None:
        assert made_by(stack, hung_up[how]) == []

    @pytest.mark.parametrize(
        ("how", "state"),
        [*((how, "settled") for how in COMPLETE), ("slow bank", "settled"), ("refusing bank", "failed")],
    )
    def test_have_at_most_one_withdrawal_for_each_key_and_it_ends(
        self, platform: Platform, hung_up: dict[str, list[str]], how: str, state: str
    ) -> None:
        stack, keys = platform.stack, hung_up[how]

        def ended() -> list[tuple[str, str]]:
            books.make_due(stack)
            made = made_by(stack, keys)
            return [] if any(each == "pending" for _, each in made) else made

        made = wait_until("none is pending", ended)
        assert set(Counter(key for key, _ in made).values()) == {1}
        assert {each for _, each in made} == {state}

    def test_are_told_the_end_when_they_ask_again_with_their_key(
        self, stack: Stack, merchants: Merchants, hung_up: dict[str, list[str]]
    ) -> None:
        for key in hung_up["all, and a wait"][:5] + hung_up["half of the body"][:5]:
            answer = merchants.ordinary.withdraw("0.10", key)
            assert (answer.status_code, answer.json()["state"]) == (201, "settled"), answer.text
            assert len(books.withdrawals_under(stack, key)) == 1

    def test_leave_books_that_agree(self, stack: Stack, hung_up: dict[str, list[str]]) -> None:
        books.assert_books_agree(stack)


class TestClientsThatStopInTheMiddle:
    @pytest.mark.parametrize("how", INCOMPLETE)
    def test_and_hold_the_line_keep_nobody_else_from_being_served_at_once(
        self, platform: Platform, merchants: Merchants, how: str
    ) -> None:
        with half_sent(platform.stack, merchants.ordinary, INCOMPLETE[how], 100):
            assert_served_at_once(merchants.ordinary)
