"""One attempt: a POST to the address that was looked at, over by its deadline, whatever the receiver does."""

import contextlib
import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from core.environment import ENVIRONMENT
from payments.webhooks.targets import DEFAULT_PORTS, Target, TargetRefused, address_of, target_of

LONGEST_ERROR = 300
GONE = 410


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it: the answer's status or None; `error` says why it does not count as delivered."""

    status: int | None
    error: str
    duration_ms: int
    retry_after_seconds: int = 0

    @property
    def is_delivered(self) -> bool:
        return not self.error


def send(url: str, headers: Mapping[str, str], body: bytes, *, seconds: float) -> Sent:
    """Sends it once. The answer's status counts; its body is not read, and no redirect is followed."""
    started = time.monotonic()
    status, error, retry_after = None, "", 0
    try:
        target = target_of(url)
        status, retry_after = _exchange(target, address_of(target), headers, body, started + seconds)
        error = _error_of(status)
    except TargetRefused as refused:
        error = f"not sent: {refused}"
    except (OSError, http.client.HTTPException, ValueError) as failed:
        late = time.monotonic() - started >= seconds
        error = f"no answer within {seconds:g} s" if late else f"no answer: {failed or type(failed).__name__}"
    duration_ms = int((time.monotonic() - started) * 1000)
    return Sent(status, _printable(error.strip())[:LONGEST_ERROR], duration_ms, retry_after)


def _printable(error: str) -> str:
    """It may quote the receiver, who sends what no column takes, as NUL, and what no log should show."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in error)


def _error_of(status: int) -> str:
    if 200 <= status < 300:  # noqa: PLR2004 - the class of HTTP's success
        return ""
    return f"answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else "")  # noqa: PLR2004


def _exchange(target: Target, address: str, headers: Mapping[str, str], body: bytes, until: float) -> tuple[int, int]:
    connection = _Pinned(target, address, until)
    # timeouts of sockets are for each read: who sends in drips is cut off by the clock
    alarm = threading.Timer(until - time.monotonic(), connection.cut)
    alarm.daemon = True
    alarm.start()
    try:
        connection.request("POST", target.path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        if connection.is_cut:  # in the middle of headers it reads like their end
            raise TimeoutError
        retry_after = answer.getheader("Retry-After", "")
        return answer.status, int(retry_after) if re.fullmatch("[0-9]{1,6}", retry_after) else 0
    finally:
        alarm.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """To one address, whatever the name resolves to by now; over TLS the name is what the certificate must be for."""

    def __init__(self, target: Target, address: str, until: float) -> None:
        super().__init__(target.host, target.port)
        self.default_port = DEFAULT_PORTS[target.scheme]
        self._target, self._address, self._until = target, address, until
        self.is_cut = False

    def connect(self) -> None:
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self.sock = socket.create_connection((self._address, self._target.port), remaining)
        if self._target.scheme == "https":
            name = self._target.host
            tls = self.sock = _tls().wrap_socket(self.sock, server_hostname=name, do_handshake_on_connect=False)
            tls.do_handshake()

    def cut(self) -> None:
        """Ends what goes on with it; called from another thread."""
        self.is_cut = True
        sock = self.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ENVIRONMENT.webhook_ca_file)
