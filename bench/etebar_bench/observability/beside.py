"""What stands in for a cluster's Prometheus and collector while a row is measured."""

import contextlib
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCRAPE_SECONDS = 5.0


class Sink(ThreadingHTTPServer):
    """Takes what it is sent, counts it and forgets it: what a collector does with spans is not our cost."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received_bytes = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sink

    def do_POST(self) -> None:
        self.server.received_bytes += len(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    """A sink that listens."""
    with Sink() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@contextlib.contextmanager
def scraping(ports: Sequence[int]) -> Iterator[dict[int, int]]:
    """Reads /metrics of each port each SCRAPE_SECONDS; counts by port how often there was an answer."""
    answers = dict.fromkeys(ports, 0)
    over = threading.Event()

    def scrape() -> None:
        while True:
            for port in ports:
                answers[port] += _answers(port)
            if over.wait(SCRAPE_SECONDS):
                return

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def _answers(port: int) -> bool:
    # as Prometheus asks, so that exemplars are part of the answer
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers={"Accept": "application/openmetrics-text"}
    )
    try:
        with urllib.request.urlopen(request, timeout=SCRAPE_SECONDS) as answer:  # noqa: S310
            return bool(answer.read())
    except (urllib.error.URLError, OSError):
        return False
