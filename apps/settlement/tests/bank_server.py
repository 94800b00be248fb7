"""A small bank behind HTTP for the tests, as docs/settlement-bank-api.md has it, with faults on command."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


class Bank:
    """The bank's books, what it was sent, and how it misbehaves next."""

    def __init__(self) -> None:
        self.url = ""
        self.transfers: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self.lock = Lock()
        self.seconds_before_answer = 0.0
        self.pays = True
        self.refuses_with: str | None = None
        self.answers_post_with: tuple[int, bytes] | None = None
        self.answers_get_with: tuple[int, bytes] | None = None

    def book(self, order: dict[str, Any]) -> None:
        """Money moves at most once per reference."""
        if self.pays and order["reference"] not in self.transfers:
            outcome = {"status": "refused", "reason": self.refuses_with} if self.refuses_with else {"status": "paid"}
            self.transfers[order["reference"]] = {
                "reference": order["reference"],
                "amount": order["amount"],
                **outcome,
            }


class _Handler(BaseHTTPRequestHandler):
    bank: Bank

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.bank.lock:
            self.bank.requests.append(("POST", dict(self.headers), order))
            self.bank.book(order)
        time.sleep(self.bank.seconds_before_answer)
        transfer = self.bank.transfers.get(order["reference"])
        self._answer(self.bank.answers_post_with or (201, json.dumps(transfer).encode()))

    def do_GET(self) -> None:
        self.bank.requests.append(("GET", dict(self.headers), self.path))
        reference = self.path.rpartition("/")[2]
        transfer = self.bank.transfers.get(reference)
        never_seen = {"reference": reference, "status": "not_found"}
        known = (200 if transfer else 404, json.dumps(transfer or never_seen).encode())
        self._answer(self.bank.answers_get_with or known)

    def _answer(self, answer: tuple[int, bytes]) -> None:
        status, body = answer
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing between the tests' lines."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A client that hung up is what some tests do."""


@contextmanager
def bank_server() -> Iterator[Bank]:
    bank = Bank()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"bank": bank}))
    bank.url = f"http://127.0.0.1:{server.server_address[1]}/bank/v1"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield bank
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
