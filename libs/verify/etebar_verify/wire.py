"""One kept HTTP connection with one request under way, for a loop that watches many."""

import contextlib
import socket

CONNECT_SECONDS = 1.0
READ_BYTES = 1 << 18
HEAD_END = b"\r\n\r\n"


class Wire:
    """Raises OSError when there will be no answer; the next request then connects anew."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._received = b""

    @property
    def socket(self) -> socket.socket | None:
        """What to watch while an answer is awaited."""
        return self._socket

    def send(self, request: bytes) -> None:
        """Sends a whole request; it is smaller than the socket's buffer, so that this does not wait."""
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=CONNECT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._socket.sendall(request)

    def receive(self) -> tuple[int, bytes, bool] | None:
        """Takes what came: status, body and whether Retry-After is there, once the answer is whole; None before."""
        data = self._socket.recv(READ_BYTES) if self._socket else b""
        if not data:
            raise ConnectionResetError("closed in the middle" if self._received else "closed without an answer")
        self._received += data
        head, end, rest = self._received.partition(HEAD_END)
        body = _whole_body(head.lower(), rest) if end else None
        return None if body is None else (int(head[9:12]), body, b"\r\nretry-after:" in head.lower())

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.close()
            self._socket = None


def _whole_body(head: bytes, rest: bytes) -> bytes | None:
    """What follows the head, once all of it is there."""
    if b"transfer-encoding: chunked" in head:
        return _unchunked(rest)
    length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
    return rest if len(rest) >= length else None


def _unchunked(rest: bytes) -> bytes | None:
    body = b""
    while True:
        size, end, rest = rest.partition(b"\r\n")
        if not end or len(rest) < int(size, 16) + 2:
            return None
        if not int(size, 16):
            return body
        body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
