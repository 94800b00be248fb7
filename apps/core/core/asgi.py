"""The ASGI entry point (docs/adr/0014): withdrawals wait on the event loop, everything else is Django's, on threads.

`granian --interface asginl core.asgi:application`
"""

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

from core.bridge import Receive, Scope, Send, call, environ_of, send_response
from core.environment import ENVIRONMENT
from core.wsgi import application as django
from payments.withdrawals import front

# what is here now stays until the end: no collection need look at it again
gc.freeze()
_threads = ThreadPoolExecutor(ENVIRONMENT.web_threads, thread_name_prefix="django")


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers one HTTP request; other kinds are not served."""
    if scope["type"] != "http":
        raise ValueError(f"only HTTP is served here, not {scope['type']}")
    environ = await environ_of(scope, receive)
    if scope["method"] == "POST" and scope["path"] == front.PATH:
        answer = await front.withdraw(environ)
        if answer is not None:
            await send_response(send, *answer)
            return
    await send_response(send, *await asyncio.get_running_loop().run_in_executor(_threads, call, django, environ))
