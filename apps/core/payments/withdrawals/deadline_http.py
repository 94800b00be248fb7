"""An HTTP exchange that is over by its deadline, however slowly the other side sends."""

import time
from collections.abc import Mapping

import urllib3

CHUNK_BYTES = 64 * 1024
LARGEST_ANSWER_BYTES = 16 * 1024 * 1024


def exchange(
    pool: urllib3.PoolManager,
    method: str,
    url: str,
    *,
    seconds: float,
    headers: Mapping[str, str],
    body: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """The answer's status and body.

    Raises urllib3's HTTPError, OSError (TimeoutError past the deadline), or ValueError for an answer beyond all bounds.
    """
    until = time.monotonic() + seconds
    response = pool.request(
        method,
        url,
        body=body,
        fields=dict(fields) if fields else None,
        headers=dict(headers),
        timeout=urllib3.Timeout(connect=seconds, read=seconds),
        preload_content=False,
    )
    try:
        content = _read(response, until)
    except BaseException:
        # what is left of the answer must not be taken for the next one's
        response.close()
        raise
    response.release_conn()
    return response.status, content


def _read(response: urllib3.BaseHTTPResponse, until: float) -> bytes:
    content = bytearray()
    while chunk := _next_chunk(response, until):
        content += chunk
        if len(content) > LARGEST_ANSWER_BYTES:
            raise ValueError(f"the answer has more than {LARGEST_ANSWER_BYTES} bytes")
    return bytes(content)


def _next_chunk(response: urllib3.BaseHTTPResponse, until: float) -> bytes:
    remaining_seconds = until - time.monotonic()
    if remaining_seconds <= 0:
        raise TimeoutError("the deadline passed while the answer was read")
    # urllib3's own timeout is per read, so an answer in drips would never meet it
    sock = getattr(response.connection, "sock", None)
    if sock is not None:
        sock.settimeout(remaining_seconds)
    return response.read1(CHUNK_BYTES)
