"""HTTP exchanges that are over by their deadline, however slowly the other side sends."""

import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection

CHUNK_BYTES = 64 * 1024
LARGEST_ANSWER_BYTES = 16 * 1024 * 1024


class _Socket(socket.socket):
    """Its timeout is for all that is read from when it was set, not for each read: a status line in drips meets it."""

    _until: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._until = None if value is None else time.monotonic() + value
        super().settimeout(value)

    def recv_into(self, *arguments: Any) -> int:
        if self._until is not None:
            super().settimeout(_remaining_seconds(self._until))
        return super().recv_into(*arguments)


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        seconds = plain.gettimeout()
        sock = _Socket(plain.family, plain.type, plain.proto, plain.detach())
        sock.settimeout(seconds)
        return sock


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


def connection_pool(connections: int) -> urllib3.PoolManager:
    """Connections for `answering`, safe to use from many threads; it never repeats a request."""
    pool = urllib3.PoolManager(maxsize=connections, retries=False)
    pool.pool_classes_by_scheme = pool.pool_classes_by_scheme | {"http": _Pool}
    return pool


@contextmanager
def answering(
    pool: urllib3.PoolManager,
    method: str,
    url: str,
    *,
    seconds: float,
    headers: Mapping[str, str],
    body: bytes | None = None,
    fields: Mapping[str, str] | None = None,
) -> Iterator[tuple[int, Iterator[bytes]]]:
    """The answer's status, and its body piece by piece as it comes: a chunk that was sent as one is one.

    Both raise urllib3's HTTPError, OSError (TimeoutError past the deadline), or ValueError for an answer beyond all
    bounds.
    """
    until = time.monotonic() + seconds
    response = pool.request(
        method,
        url,
        body=body,
        fields=dict(fields) if fields else None,
        headers=dict(headers),
        timeout=urllib3.Timeout(total=seconds),
        preload_content=False,
    )
    try:
        yield response.status, _pieces(response, until)
    finally:
        # An answer that was read to its end has given its connection back. Of any other, what is left must not be
        # taken for the next one's.
        response.close()


def exchange(pool: urllib3.PoolManager, method: str, url: str, **request: Any) -> tuple[int, bytes]:
    """The answer's status and its whole body; takes and raises what `answering` does."""
    with answering(pool, method, url, **request) as (status, pieces):
        return status, b"".join(pieces)


def whole_lines(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The lines that each piece completes; what has no line feed at the end is none."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if lines:
            yield lines


def _pieces(response: urllib3.BaseHTTPResponse, until: float) -> Iterator[bytes]:
    size = 0
    pieces = _unhurried(response)
    while True:
        # the socket's own is enough without TLS, under which it is per read
        sock = getattr(response.connection, "sock", None)
        if sock is not None:
            sock.settimeout(_remaining_seconds(until))
        piece = next(pieces, b"")
        if not piece:
            return
        size += len(piece)
        if size > LARGEST_ANSWER_BYTES:
            raise ValueError(f"the answer has more than {LARGEST_ANSWER_BYTES} bytes")
        yield piece


def _unhurried(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    if getattr(response, "chunked", False):
        return response.read_chunked(LARGEST_ANSWER_BYTES)
    return iter(lambda: response.read1(CHUNK_BYTES), b"")


def _remaining_seconds(until: float) -> float:
    remaining_seconds = until - time.monotonic()
    if remaining_seconds <= 0:
        raise TimeoutError("the deadline passed while the answer was read")
    return remaining_seconds
