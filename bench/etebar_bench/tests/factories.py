"""Measured rows, reports, and a server that answers as core does."""

import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from etebar_bench import results
from etebar_bench.document import Proof, Report
from etebar_bench.measured import EXACT, Answers, Measured
from etebar_bench.settings import Row, Work

CPU = {"core": 1.0, "settlement": 0.5, "postgres": 2.0, "redis": 0.0, "generator": 0.25}
PROBLEM = {"type": "about:blank", "status": 409, "code": "insufficient_credit"}


MEMORY = {"core": 100_000_000, "settlement": 40_000_000, "postgres": 90_000_000, "redis": 3_000_000}


def measured(work: Work, clients: int, round_: int, rate: float, **changes: Any) -> Measured:
    """One row in one round of ten seconds."""
    answers = {"final": int(rate * 10), "p50_ms": 5.0, "p99_ms": 20.0, "generator_cpu_seconds": 0.25}
    books = changes.pop("books", EXACT)
    answered = Answers(seconds=10.0, **{**answers, **changes})
    return Measured(row=Row(work, clients), round=round_, answers=answered, books=books, cpu_seconds=CPU, memory=MEMORY)


def report(*rows: Measured, **changes: Any) -> Report:
    """A sound one unless `changes` say otherwise."""
    sums = {"count": 3, "amount": "3.00"}
    proof = Proof(
        sums=EXACT,
        totals={"answered": 2, "unseen": 1, "settled": sums, "paid": sums},
        verify_books_code=0,
        verify_books_output="The books agree",
    )
    whole = {
        "machine": {"cpu": "a <fast> CPU", "cores": 2},
        "settings": {"rounds": 2},
        "results": results.of(rows, list(dict.fromkeys(one.row for one in rows))),
        "memory": {"measure": "pss", "core": 100_000_000, "settlement": 40_000_000, "postgres": 90_000_000, "redis": 1},
        "proof": proof,
    }
    return Report(**{**whole, **changes})


class Core(ThreadingHTTPServer):
    """Answers withdrawals with the given statuses in turn, and keeps the keys and tokens that it saw."""

    daemon_threads = True

    def __init__(self, statuses: list[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys: list[str] = []
        self.tokens: set[str] = set()
        self.ids: set[str] = set()
        self._statuses = itertools.cycle(statuses)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def decide(self, key: str) -> tuple[int, dict[str, Any]]:
        """The next status and its body."""
        with self._lock:
            self.keys.append(key)
            status, identifier = next(self._statuses), f"id-{next(self._numbers)}"
            if status == 201:
                self.ids.add(identifier)
        if status == 201:
            return status, {"id": identifier, "amount": "1.00", "state": "settled", "failure_code": None}
        if status == 202:
            return status, {"id": identifier, "amount": "1.00", "state": "pending", "failure_code": None}
        return status, {**PROBLEM, "status": status}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Core

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.tokens.add(self.headers["Authorization"])
        if self.path == "/api/v1/withdrawals/bulk":
            self._answer(207, {"results": list(self._results(asked)), "summary": {"status": 207}})
        else:
            assert asked == {"amount": "1.00"}
            self._answer(*self.server.decide(self.headers["Idempotency-Key"]))

    def _results(self, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for item in asked["withdrawals"]:
            status, body = self.server.decide(item["idempotency_key"])
            yield {"idempotency_key": item["idempotency_key"], "status": status, "replayed": False, "body": body}

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        text = json.dumps(body, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Silent."""
