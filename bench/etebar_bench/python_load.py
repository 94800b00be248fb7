"""What load.lua makes wrk do, in Python, where there is no wrk: the same arguments, the same lines at the end.

A process of its own without threads; it takes a good part of a core, so that its cost is part of what is measured.
"""

import argparse
import selectors
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from etebar_bench.measured import percentile
from etebar_bench.tally import Tally

AMOUNT = "1.00"
READ_BYTES = 1 << 18
HEAD_END = b"\r\n\r\n"


class Requests:
    """Makes one request after another, each with keys of its own; the merchants take turns."""

    def __init__(self, given: argparse.Namespace) -> None:
        url = urlsplit(given.url)
        common = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
        tokens = Path(given.tokens).read_text().split()
        self._heads = [f"{common}Authorization: Bearer {token}\r\n" for token in tokens]
        self._prefix, self._batch = given.prefix, given.batch
        self._make = self._bulk if given.work == "bulk" else self._single
        self._number = 0

    def next(self) -> bytes:
        self._number += 1
        return self._make(self._heads[self._number % len(self._heads)], f"{self._prefix}{self._number}").encode()

    def _single(self, head: str, key: str) -> str:
        body = f'{{"amount":"{AMOUNT}"}}'
        return f"{head}Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n{body}"

    def _bulk(self, head: str, key: str) -> str:
        members = (f'{{"idempotency_key":"{key}-{n}","amount":"{AMOUNT}"}}' for n in range(1, self._batch + 1))
        body = f'{{"atomic":false,"withdrawals":[{",".join(members)}]}}'
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}"


class Client:
    """One connection that is kept; it has one request under way."""

    def __init__(self, address: tuple[str, int], requests: Requests, tally: Tally) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests, self._tally = requests, tally
        self._received = b""
        self._sent_at = 0.0

    def send(self) -> None:
        """A request is smaller than the socket's buffer, so that this does not wait."""
        self._received, self._sent_at = b"", time.perf_counter()
        self.socket.sendall(self._requests.next())

    def receive(self) -> None:
        """Takes what came; when the answer is whole, counts it and sends the next request."""
        data = self.socket.recv(READ_BYTES)
        if not data:
            raise ConnectionError
        self._received += data
        head, end, body = self._received.partition(HEAD_END)
        if end and len(body) >= _content_length(head):
            self._tally.answer(int(head[9:12]), body, (time.perf_counter() - self._sent_at) * 1e6)
            self.send()


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)


def _until(deadline: float, clients: Sequence[Client], tally: Tally) -> None:
    """Keeps every client busy; what is under way at the deadline is left, as wrk leaves it."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send()
        while (left := deadline - time.perf_counter()) > 0 and selector.get_map():
            for key, _ in selector.select(left):
                try:
                    key.data.receive()
                except OSError:
                    tally.counts["socket_errors"] += 1
                    selector.unregister(key.fileobj)


def main(arguments: Sequence[str] | None = None, write: Callable[[str], object] = sys.stdout.write) -> None:
    """Loads for the given time and writes the counts."""
    given = _parser().parse_args(arguments)
    url, tally, requests = urlsplit(given.url), Tally(given.batch), Requests(given)
    clients = [Client((url.hostname or "", url.port or 80), requests, tally) for _ in range(given.connections)]
    begun = time.perf_counter()
    _until(begun + int(given.duration.rstrip("s")), clients, tally)
    duration_us = (time.perf_counter() - begun) * 1e6
    Path(given.ids).write_text("".join(f"{identifier}\n" for identifier in tally.ids))
    for name in ("final", "pending", "refused", "other_errors", "socket_errors"):
        write(f"etebar {name} {tally.counts[name]}\n")
    for name, share in (("p50_us", 0.50), ("p99_us", 0.99)):
        write(f"etebar {name} {percentile(tally.latencies_us, share):.0f}\n")
    write(f"etebar duration_us {duration_us:.0f}\netebar-sample {tally.sample}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-t", "--threads", help="wrk's; there is always one")
    parser.add_argument("-c", "--connections", type=int, required=True)
    parser.add_argument("-d", "--duration", required=True)
    parser.add_argument("--timeout", help="wrk's")
    for name in ("url", "work", "tokens", "prefix", "ids"):
        parser.add_argument(name)
    parser.add_argument("batch", type=int)
    return parser


if __name__ == "__main__":
    main()
