"""What settlement's answers are taken for, and that no answer can hold a caller past its deadline."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import uuid4

import pytest

from payments.withdrawals.settlement_client import Outcome, PayoutOrder, SettlementClient

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def serving() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Serves connections by a function, and gives the address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(answer: Callable[[socket.socket], None]) -> str:
        def run() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(65536)
                answer(peer)

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    listener.close()


def ask(url: str, seconds: float) -> Outcome:
    order = PayoutOrder(uuid4(), 1, uuid4(), Decimal("1.00"), "IRTEST1")
    client = SettlementClient(url, "t" * 32, 1)
    return client.settle([order], deadline_seconds=seconds)[order.withdrawal_id].outcome


def test_an_answer_in_drips_is_unknown_at_the_deadline(serving: Callable[..., str]) -> None:
    over = threading.Event()

    def drip(peer: socket.socket) -> None:
        peer.sendall(HEAD % 1000)
        while not over.wait(0.1):
            try:
                peer.sendall(b" ")
            except OSError:
                return

    started = time.monotonic()
    assert ask(serving(drip), 0.5) is Outcome.UNKNOWN
    over.set()
    # the drips alone would take 100 s
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b"", b"null", b"{}", b'{"results": 7}', b'{"results": [{}]}', b"\xff"]
)
def test_a_body_that_is_no_answer_is_unknown(serving: Callable[..., str], body: bytes) -> None:
    assert ask(serving(lambda peer: peer.sendall(HEAD % len(body) + body)), 5) is Outcome.UNKNOWN


def test_a_cut_answer_is_unknown(serving: Callable[..., str]) -> None:
    assert ask(serving(lambda peer: peer.sendall(HEAD % 1000 + b'{"results": [')), 5) is Outcome.UNKNOWN
