"""The recorder writes down what clients were told, and repeats what it was not told."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.waiting import wait_until

from etebar_verify.history import Broken, Sent, Told, read

SETTLED = b'{"id": "one", "amount": "1.00", "state": "settled"}'
AWAY = b'{"code": "database_unavailable"}'


class Scripted(threading.Thread):
    """A server that acts on one request after another as told: closes without an answer (None), or answers."""

    def __init__(self, script: list[tuple[int, bytes] | None]) -> None:
        super().__init__(daemon=True)
        self.seen: list[bytes] = []
        self._script = script
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]

    def run(self) -> None:
        while self._script:
            connection, _ = self._listening.accept()
            with connection:
                self._serve(connection)
        self._listening.close()

    def _serve(self, connection: socket.socket) -> None:
        while self._script:
            self.seen.append(connection.recv(1 << 16))
            answer = self._script.pop(0)
            if answer is None:
                return
            status, body = answer
            connection.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[tuple[Scripted, Path]]:
    """A server that lets one client wait for its answer until the fourth time, and the client's file."""
    server = Scripted([None, (503, AWAY), (409, b'{"code": "request_in_progress"}'), (201, SETTLED)])
    server.start()
    orders, history = tmp_path / "orders.json", tmp_path / "history.jsonl"
    callers = [{"merchant": 7, "token": "t"}]
    orders.write_text(json.dumps({"address": ["127.0.0.1", server.port], "seed": 1, "callers": callers}))
    history.touch()
    command = [sys.executable, "-m", "etebar_verify", "record", str(orders), str(history)]
    process = subprocess.Popen(command)
    yield server, history
    process.send_signal(signal.SIGKILL)
    process.wait()


class TestTheRecorder:
    def test_repeats_a_key_with_the_same_request_until_it_is_told_the_end(
        self, recorded: tuple[Scripted, Path]
    ) -> None:
        server, history = recorded
        wait_until("it is told the end", lambda: len(answers(history)) == 3)
        told = answers(history)
        assert [(each.status, each.code, each.id, each.state) for each in told] == [
            (503, "database_unavailable", None, None),
            (409, "request_in_progress", None, None),
            (201, None, "one", "settled"),
        ]
        assert [each.says_when for each in told] == [False, None, None]
        first = next(each for each in read(history) if isinstance(each, Sent))
        assert {each.key for each in told} == {first.key}
        assert (first.merchant, first.is_patient) == (7, True)
        assert next(each for each in read(history) if isinstance(each, Broken)).keys == [first.key]
        assert len(set(server.seen[:4])) == 1


def answers(history: Path) -> list[Told]:
    return [each for each in read(history) if isinstance(each, Told)]
