"""Between ASGI and WSGI: requests become environs, responses are sent (PEP 3333; ASGI 3, HTTP)."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from io import BytesIO
from typing import Any

from core.body_limits import most_read_bytes
from core.environment import ENVIRONMENT
from core.security_headers import secured

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Environ = dict[str, Any]
Headers = Iterable[tuple[str, str]]

_WITHOUT_PREFIX = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class ClientGone(Exception):  # noqa: N818 - a fact
    """The client left before its request was whole."""


async def environ_of(
    scope: Scope, receive: Receive, is_staffs: Callable[[str], bool] = lambda _authorization: False
) -> Environ:
    """The request as WSGI has it, its body read; a body that is too large to be taken is left unread.

    `is_staffs` looks at an Authorization header, for what only staff may send.

    Raises ClientGone when the body has not come whole: half a request is none, even where its half can be read; and
    TimeoutError when it takes longer than BODY_DEADLINE_SECONDS.
    """
    server, client = scope.get("server") or ("localhost", 80), scope.get("client")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client:
        environ["REMOTE_ADDR"] = client[0]
    for name, value in scope["headers"]:
        if b"_" in name:
            continue  # a proxy that checks X-Forwarded-For lets X_Forwarded_For pass, and both are one variable here
        variable = _WITHOUT_PREFIX.get(name) or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")
        text = value.decode("latin-1")
        environ[variable] = f"{environ[variable]},{text}" if variable in environ else text
    length = environ.get("CONTENT_LENGTH", "")
    most = most_read_bytes(scope["path"], by_staff=False)
    if length.isdecimal() and int(length) > most and is_staffs(environ.get("HTTP_AUTHORIZATION", "")):
        most = most_read_bytes(scope["path"], by_staff=True)
    environ["wsgi.input"] = BytesIO(await _body(length, most, receive))
    return environ


async def _body(length: str, most: int, receive: Receive) -> bytes:
    if not length.isdecimal() or int(length) > most:
        return b""
    chunks: list[bytes] = []
    more = True
    # somebody who sends a byte now and then holds no thread, but a connection
    async with asyncio.timeout(ENVIRONMENT.request_body_deadline_seconds):
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
    body = b"".join(chunks)
    if len(body) != int(length):
        raise ClientGone
    return body


def call(application: Callable[..., Iterable[bytes]], environ: Environ) -> tuple[int, Headers, bytes]:
    """Runs a WSGI application and collects its answer: status, headers, body."""
    started: list[tuple[int, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: object = None) -> Callable[[bytes], object]:  # noqa: ARG001
        started.append((int(status.split(" ", 1)[0]), headers))
        return lambda _: None

    chunks = application(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return status, headers, body


async def send_response(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Sends an answer as a whole."""
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": secured(encoded)})
    await send({"type": "http.response.body", "body": body})
