"""What settlement's answers are taken for, and that no answer can hold a caller past its deadline."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from payments.withdrawals import settlement_client
from payments.withdrawals.settlement_client import Outcome, PayoutOrder, SettlementClient, SettleResult

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


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


class Settlement:
    """Answers each request by a function of the socket and the request's ids; counts what it met."""

    def __init__(self, answer: Callable[[socket.socket, list[str]], None]) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            while request := peer.recv(65536):
                while (body := request.partition(b"\r\n\r\n")[2])[-2:] != b"]}":
                    request += peer.recv(65536)
                self.requests.append(request)
                self._answer(peer, [each["withdrawal_id"] for each in json.loads(body)["withdrawals"]])


@pytest.fixture
def settlement_that() -> Iterator[Callable[..., Settlement]]:
    made: list[Settlement] = []

    def make(answer: Callable[[socket.socket, list[str]], None]) -> Settlement:
        made.append(Settlement(answer))
        return made[-1]

    yield make
    for each in made:
        each.close()


def orders(count: int) -> list[PayoutOrder]:
    return [PayoutOrder(uuid4(), 1, uuid4(), Decimal("1.00"), "IRTEST1") for _ in range(count)]


def line(member: object, state: str = "paid", **payout: object) -> bytes:
    paid = {"withdrawal_id": str(member), "amount": "1.00"} | payout
    result = {"withdrawal_id": str(member), "state": state, "reason": None, "payout": paid}
    return json.dumps(result).encode() + b"\n"


def chunk(*lines: bytes) -> bytes:
    content = b"".join(lines)
    return b"%x\r\n%s\r\n" % (len(content), content)


def settle_each(
    url: str, asked: Iterable[PayoutOrder], seconds: float = 5
) -> tuple[list[dict[UUID, SettleResult]], list[float]]:
    """What was yielded, and after how many seconds each."""
    began, results, times = time.monotonic(), [], []
    for known in SettlementClient(url, "t" * 32, 1).settle_each(list(asked), deadline_seconds=seconds):
        results.append(known)
        times.append(time.monotonic() - began)
    assert sorted(each for known in results for each in known) == sorted(order.withdrawal_id for order in asked)
    return results, times


def outcomes(results: list[dict[UUID, SettleResult]], asked: Iterable[PayoutOrder]) -> list[str]:
    together = {each: result for known in results for each, result in known.items()}
    return [together[order.withdrawal_id].outcome.value for order in asked]


class TestLines:
    def test_are_results_as_soon_as_they_come_those_of_a_chunk_together(
        self, settlement_that: Callable[..., Settlement]
    ) -> None:
        def answer(peer: socket.socket, ids: list[str]) -> None:
            peer.sendall(CHUNKED + chunk(line(ids[1]), line(ids[2], "refused")))
            time.sleep(0.4)
            peer.sendall(chunk(line(ids[0], "pending")) + END)

        asked = orders(3)
        settlement = settlement_that(answer)
        results, times = settle_each(settlement.url, asked)
        assert [len(known) for known in results] == [2, 1]
        assert outcomes(results, asked) == ["pending", "paid", "refused"]
        assert times[0] < 0.3 < times[1]
        assert b"\r\nAccept: application/x-ndjson\r\n" in settlement.requests[0]

    def test_of_a_large_chunk_come_together(self, settlement_that: Callable[..., Settlement]) -> None:
        asked = orders(500)
        settlement = settlement_that(lambda peer, ids: peer.sendall(CHUNKED + chunk(*map(line, ids)) + END))
        results, _ = settle_each(settlement.url, asked)
        assert [len(known) for known in results] == [500]

    def test_need_not_be_chunked(self, settlement_that: Callable[..., Settlement]) -> None:
        def answer(peer: socket.socket, ids: list[str]) -> None:
            content = b"".join(map(line, ids))
            peer.sendall(HEAD % len(content) + content)

        asked = orders(3)
        assert outcomes(settle_each(settlement_that(answer).url, asked)[0], asked) == ["paid"] * 3

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda each: line(each, amount="2.00"),
            lambda each: line(each, amount=7),
            lambda each: line(each, withdrawal_id=str(uuid4())),
            lambda each: line(each, withdrawal_id=7),
            lambda each: line(each, "done"),
            lambda _: line(uuid4()),
            lambda _: b"garbage\n",
            lambda _: b"[]\n{}\nnull\n\n\xff\n",
            lambda _: b"[" * 5000 + b"\n",
            lambda _: b'{"withdrawal_id": 7}\n',
            lambda each: line(each)[:-1],
            lambda each: line(each, amount="2.00") + line(each),
        ],
        ids=range(12),
    )
    def test_that_are_not_understood_leave_their_member_unknown_and_no_other(
        self, settlement_that: Callable[..., Settlement], wrong: Callable[[str], bytes]
    ) -> None:
        asked = orders(3)

        def answer(peer: socket.socket, ids: list[str]) -> None:
            peer.sendall(CHUNKED + chunk(line(ids[0]), line(ids[1])) + chunk(wrong(ids[2])) + END)

        results, _ = settle_each(settlement_that(answer).url, asked)
        assert outcomes(results, asked) == ["paid", "paid", "unknown"]

    def test_that_come_twice_count_the_first_time(self, settlement_that: Callable[..., Settlement]) -> None:
        def answer(peer: socket.socket, ids: list[str]) -> None:
            peer.sendall(CHUNKED + chunk(line(ids[0]), line(ids[0], "refused")) + chunk(line(ids[0], "pending")) + END)

        asked = orders(1)
        assert outcomes(settle_each(settlement_that(answer).url, asked)[0], asked) == ["paid"]

    @pytest.mark.parametrize("cut", [b"", b"40\r\n{", b"zz\r\n"])
    def test_that_break_off_leave_the_rest_unknown_at_once(
        self, settlement_that: Callable[..., Settlement], cut: bytes
    ) -> None:
        def answer(peer: socket.socket, ids: list[str]) -> None:
            peer.sendall(CHUNKED + chunk(line(ids[0])) + cut)
            peer.shutdown(socket.SHUT_RDWR)

        asked = orders(2)
        results, times = settle_each(settlement_that(answer).url, asked)
        assert outcomes(results, asked) == ["paid", "unknown"]
        assert times[-1] < 2


class TestAnAnswerInDrips:
    @pytest.mark.parametrize(
        ("start", "drop"),
        [
            (b"", b"H"),
            (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
            (CHUNKED, b"0"),
            (CHUNKED + b"ffff\r\n", b"{"),
            (HEAD % 1000, b"{"),
        ],
    )
    def test_is_over_at_the_deadline(
        self, settlement_that: Callable[..., Settlement], start: bytes, drop: bytes
    ) -> None:
        def answer(peer: socket.socket, _: list[str]) -> None:
            peer.sendall(start)
            for _ in range(200):
                time.sleep(0.05)
                peer.sendall(drop)

        asked = orders(2)
        results, times = settle_each(settlement_that(answer).url, asked, seconds=0.5)
        assert outcomes(results, asked) == ["unknown"] * 2
        assert 0.4 < times[-1] < 2

    def test_keeps_what_came_before(self, settlement_that: Callable[..., Settlement]) -> None:
        def answer(peer: socket.socket, ids: list[str]) -> None:
            peer.sendall(CHUNKED + chunk(line(ids[0])))
            time.sleep(5)

        asked = orders(2)
        results, times = settle_each(settlement_that(answer).url, asked, seconds=0.5)
        assert outcomes(results, asked) == ["paid", "unknown"]
        assert times[0] < 0.3
        assert times[1] < 2


class TestAListThatIsNotTaken:
    @pytest.mark.parametrize("status", [400, 413, 422])
    def test_is_asked_about_one_by_one_each_told_as_it_is_known(
        self, settlement_that: Callable[..., Settlement], status: int
    ) -> None:
        asked = orders(3)

        def answer(peer: socket.socket, ids: list[str]) -> None:
            if len(ids) > 1 or ids == [str(asked[1].withdrawal_id)]:
                peer.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\n{}" % status)
            else:
                content = b'{"results": [' + line(ids[0]) + b"]}"
                peer.sendall(HEAD % len(content) + content)

        results, _ = settle_each(settlement_that(answer).url, asked)
        assert [len(known) for known in results] == [1, 1, 1]
        assert outcomes(results, asked) == ["paid", "unknown", "paid"]

    @pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
    def test_for_another_reason_is_unknown(self, settlement_that: Callable[..., Settlement], status: int) -> None:
        asked, problem = orders(2), b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\n{}" % status
        settlement = settlement_that(lambda peer, _: peer.sendall(problem))
        results, _ = settle_each(settlement.url, asked)
        assert outcomes(results, asked) == ["unknown"] * 2
        assert len(settlement.requests) == 1

    def test_because_nobody_listens_is_unknown(self, settlement_that: Callable[..., Settlement]) -> None:
        asked = orders(2)
        assert outcomes(settle_each("http://127.0.0.1:1", asked)[0], asked) == ["unknown"] * 2


class TestASettlementThatTakesNoKeys:
    """The version before, in the middle of a rollout."""

    def serve(self, settlement_that: Callable[..., Settlement], *, lines: bool) -> Settlement:
        made: list[Settlement] = []

        def answer(peer: socket.socket, ids: list[str]) -> None:
            if b"idempotency_key" in made[0].requests[-1]:
                peer.sendall(b"HTTP/1.1 422 No\r\nContent-Length: 2\r\n\r\n{}")
            elif lines:
                peer.sendall(CHUNKED + chunk(*map(line, ids)) + END)
            else:
                content = b'{"results": [' + b",".join(map(line, ids)) + b"]}"
                peer.sendall(HEAD % len(content) + content)

        made.append(settlement_that(answer))
        return made[0]

    def with_keys(self, count: int) -> list[PayoutOrder]:
        return [replace(order, idempotency_key="k") for order in orders(count)]

    def test_is_sent_keys_again_after_a_while(
        self, settlement_that: Callable[..., Settlement], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(settlement_client, "WITHOUT_KEYS_SECONDS", 0)
        settlement = self.serve(settlement_that, lines=True)
        client = SettlementClient(settlement.url, "t" * 32, 1)
        for _ in range(2):
            list(client.settle_each(self.with_keys(1), deadline_seconds=5))
        assert [b"idempotency_key" in each for each in settlement.requests] == [True, False, True, False]

    def test_is_sent_the_list_again_without_and_none_for_a_while(
        self, settlement_that: Callable[..., Settlement]
    ) -> None:
        settlement = self.serve(settlement_that, lines=True)
        client = SettlementClient(settlement.url, "t" * 32, 1)
        for _ in range(2):
            asked = self.with_keys(2)
            assert outcomes(list(client.settle_each(asked, deadline_seconds=5)), asked) == ["paid"] * 2
        assert [b"idempotency_key" in each for each in settlement.requests] == [True, False, False]

    def test_is_asked_by_the_dispatcher_in_the_same_way(self, settlement_that: Callable[..., Settlement]) -> None:
        settlement = self.serve(settlement_that, lines=False)
        asked = self.with_keys(2)
        results = SettlementClient(settlement.url, "t" * 32, 1).settle(asked, deadline_seconds=5)
        assert outcomes([results], asked) == ["paid"] * 2


class TestAConnection:
    def test_is_used_again_after_a_whole_answer(self, settlement_that: Callable[..., Settlement]) -> None:
        settlement = settlement_that(lambda peer, ids: peer.sendall(CHUNKED + chunk(*map(line, ids)) + END))
        client = SettlementClient(settlement.url, "t" * 32, 1)
        for _ in range(3):
            assert len(list(client.settle_each(orders(2), deadline_seconds=5))) == 1
        assert (settlement.connections, len(settlement.requests)) == (1, 3)

    def test_is_not_used_again_when_nobody_read_on(self, settlement_that: Callable[..., Settlement]) -> None:
        settlement = settlement_that(lambda peer, ids: peer.sendall(CHUNKED + chunk(line(ids[0]))))
        client = SettlementClient(settlement.url, "t" * 32, 1)
        for expected in (1, 2):
            results = client.settle_each(orders(2), deadline_seconds=5)
            next(results)
            results.close()
            assert settlement.connections == expected
