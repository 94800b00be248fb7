"""The ASGI entry point (docs/adr/0014): withdrawals wait on the event loop, everything else is Django's, on threads.

`granian --interface asginl core.asgi:application`
"""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

from core.body_limits import BULK_PATH
from core.bridge import ClientGone, Headers, Receive, Scope, Send, call, environ_of, send_response
from core.environment import ENVIRONMENT
from core.wsgi import application as django
from etebar_common.problems import MEDIA_TYPE, RequestTooSlow
from payments.tokens.authentication import is_staffs
from payments.withdrawals import front

BULKS_AT_ONCE = 16
PROBES = {"/healthz": b'{"status": "ok"}', "/readyz": b'{"status": "ready"}'}

# what is here now stays until the end: no collection need look at it again
gc.freeze()
_threads = ThreadPoolExecutor(ENVIRONMENT.web_threads, thread_name_prefix="django")
# a bulk waits on its thread: however many there are, the other requests keep theirs
_bulk_threads = ThreadPoolExecutor(BULKS_AT_ONCE, thread_name_prefix="bulk")


def _too_slow() -> tuple[int, Headers, bytes]:
    # it needs Django set up, which core.wsgi does
    from core.problem_handler import render_body

    problem = RequestTooSlow(f"the body did not come within {ENVIRONMENT.request_body_deadline_seconds:g} s")
    return problem.status, [("Content-Type", MEDIA_TYPE), ("Connection", "close")], render_body(problem).encode()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one HTTP request; other kinds are not served."""
    if scope["type"] != "http":
        raise ValueError(f"only HTTP is served here, not {scope['type']}")
    path: str = scope["path"]
    if path == "/healthz" or (path == "/readyz" and not ENVIRONMENT.is_draining):
        # says that the loop turns, however busy the threads are
        await send_response(send, 200, [("Content-Type", "application/json")], PROBES[path])
        return
    try:
        environ = await environ_of(scope, receive, is_staffs)
    except ClientGone:
        return
    except TimeoutError:
        await send_response(send, *_too_slow())
        return
    if scope["method"] == "POST" and path == front.PATH:
        answer = await front.withdraw(environ)
        if answer is not None:
            await send_response(send, *answer)
            return
    threads = _bulk_threads if path == BULK_PATH else _threads
    await send_response(send, *await asyncio.get_running_loop().run_in_executor(threads, call, django, environ))
