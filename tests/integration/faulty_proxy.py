"""An HTTP proxy between core and settlement that answers wrong on command; what is not an order to pay, it passes."""

import contextlib
import http.client
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

ORDERS_PATH = "/api/settlement/withdraw/batch"
TIMEOUT_SECONDS = 20.0


class Fault(StrEnum):
    """What happens to one order to pay. Late ones wait until the test lets them go."""

    NONE = "passed"
    ANSWERED_LATE = "forwarded, answered late"
    FORWARDED_LATE = "forwarded late"
    FORWARDED_TWICE = "forwarded twice"
    PAID_THEN_500 = "forwarded, answered 500"
    ONLY_500 = "answered 500, not forwarded"
    DROPPED = "forwarded, connection dropped"
    CUT_SHORT = "forwarded, answer cut short"
    NOT_JSON = "answer is not JSON"
    OTHER_SHAPE = "answer has another shape"
    OTHER_STATE = "answer has an unknown state"
    OTHER_AMOUNT = "answer names another amount"
    NO_AMOUNT = "answer's amount is no number"
    OTHER_WITHDRAWAL = "answer names another withdrawal"
    OTHER_PAYOUT = "answer has another withdrawal's payout"


@dataclass(frozen=True)
class Exchange:
    """An answer of settlement: status and body."""

    status: int
    body: bytes


def _results(change: Callable[[dict[str, Any]], object]) -> Callable[[Exchange], Exchange]:
    """The answer with each result changed in place."""

    def changed(exchange: Exchange) -> Exchange:
        # one object with its results, or a result on each line
        answers = [json.loads(line) for line in exchange.body.splitlines()]
        for answer in answers:
            for result in answer.get("results", [answer]):
                change(result)
        return Exchange(exchange.status, b"".join(json.dumps(answer).encode() + b"\n" for answer in answers))

    return changed


CHANGES: dict[Fault, Callable[[Exchange], Exchange]] = {
    Fault.PAID_THEN_500: lambda _: Exchange(500, b'{"code": "internal_error"}'),
    Fault.NOT_JSON: lambda _: Exchange(200, b"<html>It works!</html>"),
    Fault.OTHER_SHAPE: lambda _: Exchange(200, b'{"results": {"state": "paid"}}'),
    Fault.OTHER_STATE: _results(lambda result: result.update(state="done")),
    Fault.OTHER_AMOUNT: _results(lambda result: result["payout"].update(amount="0.01")),
    Fault.NO_AMOUNT: _results(lambda result: result["payout"].update(amount="much")),
    Fault.OTHER_WITHDRAWAL: _results(lambda result: result.update(withdrawal_id=str(uuid4()))),
    Fault.OTHER_PAYOUT: _results(lambda result: result["payout"].update(withdrawal_id=str(uuid4()))),
}


class FaultyProxy:
    """Forwards to `target_port`; `faults` are for the next orders, one each."""

    def __init__(self, target_port: int, port: int) -> None:
        self.faults: deque[Fault] = deque()
        self.met: list[Fault] = []
        self.late_may_go = threading.Event()
        self._target_port = target_port
        self._port = port
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """It listens."""
        self.up()
        try:
            yield
        finally:
            self.late_may_go.set()
            self.down()

    def up(self) -> None:
        self._server = _Server(("127.0.0.1", self._port), _handler(self))
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}).start()

    def down(self) -> None:
        """Connections are refused; what is under way is ended first."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def plan(self, *faults: Fault) -> None:
        """These happen to the next orders."""
        self.met.clear()
        self.late_may_go.clear()
        self.faults = deque(faults)

    def next_fault(self) -> Fault:
        return self.faults.popleft() if self.faults else Fault.NONE

    def forward(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Exchange:
        """What settlement answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self._target_port, timeout=TIMEOUT_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return Exchange(answer.status, answer.read())

    def exchange(self, fault: Fault, forward: Callable[[], Exchange]) -> Exchange:
        """The answer to give for an order under this fault."""
        if fault is Fault.ONLY_500:
            return Exchange(500, b"")
        if fault is Fault.FORWARDED_LATE:
            self.late_may_go.wait(TIMEOUT_SECONDS)
        answer = forward()
        if fault is Fault.FORWARDED_TWICE:
            answer = forward()
        if fault is Fault.ANSWERED_LATE:
            self.late_may_go.wait(TIMEOUT_SECONDS)
        return CHANGES[fault](answer) if fault in CHANGES else answer


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64


def _handler(proxy: FaultyProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass()

        def do_POST(self) -> None:
            self._pass()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature of the base class
            """Nothing: the tests say what matters."""

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
            fault = proxy.next_fault() if self.path == ORDERS_PATH else Fault.NONE
            exchange = proxy.exchange(fault, lambda: proxy.forward(self.command, self.path, body, headers))
            if fault is not Fault.DROPPED:
                # who asked may have gone: a late answer is nobody's
                with contextlib.suppress(ConnectionError):
                    self._answer(exchange, missing_bytes=20 if fault is Fault.CUT_SHORT else 0)
            if fault is not Fault.NONE:
                proxy.met.append(fault)

        def _answer(self, exchange: Exchange, missing_bytes: int) -> None:
            self.send_response(exchange.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(exchange.body)))
            self.end_headers()
            self.wfile.write(exchange.body[: len(exchange.body) - missing_bytes])

    return Handler


HOP_BY_HOP = {"connection", "host", "content-length", "accept-encoding"}
