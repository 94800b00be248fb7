"""Clients on bad lines: some requests are abandoned on their way, and their keys are sent again later."""

import json
import random
import select
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from locust import task

from traffic.merchant import PATH, Merchant, new_key, some_amount
from traffic.truths import CONFLICT, IN_PROGRESS, Answer, check_withdrawal, expect

CONNECT_SECONDS, LONGEST_WAIT_SECONDS = 10.0, 0.2

Leave = Callable[[socket.socket, bytes, bytes], object]


def _in_the_headers(line: socket.socket, head: bytes, _body: bytes) -> None:
    line.sendall(head[: len(head) // 2])


def _in_the_body(line: socket.socket, head: bytes, body: bytes) -> None:
    line.sendall(head + body[: len(body) // 2])


def _when_sent(line: socket.socket, head: bytes, body: bytes) -> None:
    line.sendall(head + body)


def _while_waiting(line: socket.socket, head: bytes, body: bytes) -> None:
    line.sendall(head + body)
    select.select([line], [], [], random.uniform(0, LONGEST_WAIT_SECONDS))  # noqa: S311 - load, no secret


LEAVES: dict[str, Leave] = {
    "in the headers": _in_the_headers,
    "in the body": _in_the_body,
    "when sent": _when_sent,
    "while waiting": _while_waiting,
}


class HangingUpUser(Merchant):
    @task(7)
    def stay(self) -> None:
        self.withdraw(some_amount(), new_key())

    @task(3)
    def leave_and_come_back(self) -> None:
        """Hangs up somewhere, then asks again: the key is served once, whatever came of the first request."""
        how = random.choice(list(LEAVES))  # noqa: S311 - load, no secret
        amount, key = some_amount(), new_key()
        self._leave(how, amount, key)
        answer = self.withdraw(amount, key, "withdraw, after a hang-up", lambda each: _check(each, amount))
        if answer is not None and answer.is_accepted:
            shown = answer.withdrawal["id"]
            self.withdraw(amount, key, "withdraw, repeated", lambda again: _check_same(again, amount, shown))

    def _leave(self, how: str, amount: str, key: str) -> None:
        """Counted under a name of its own; a refused connection is a failure."""
        begun, error = time.perf_counter(), None
        try:
            url = urlsplit(str(self.host))
            with socket.create_connection((url.hostname, url.port or 80), CONNECT_SECONDS) as line:
                LEAVES[how](line, *self._request(url.netloc, amount, key))
        except OSError as caught:
            error = caught
        self.environment.events.request.fire(
            request_type="POST",
            name=f"hang up {how}",
            response_time=(time.perf_counter() - begun) * 1000,
            response_length=0,
            exception=error,
            context={},
        )

    def _request(self, host: str, amount: str, key: str) -> tuple[bytes, bytes]:
        """Head and body."""
        body = json.dumps({"amount": amount}).encode()
        headers = {
            "Host": host,
            "Authorization": str(self.client.headers["Authorization"]),
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Idempotency-Key": key,
        }
        lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode(), body


def _check(answer: Answer, amount: str) -> None:
    """The first request may still be at work."""
    if not (answer.status == CONFLICT and answer.code == IN_PROGRESS):
        check_withdrawal(answer, amount)


def _check_same(again: Answer, amount: str, shown: str) -> None:
    check_withdrawal(again, amount)
    expect(truth=again.withdrawal.get("id") == shown, otherwise="a replay with another id")


EXPOSED = (HangingUpUser,)
