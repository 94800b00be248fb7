"""`demo` and `up`: everything started, the story told, and left running until Ctrl-C."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator

from etebar_quickstart import paths
from etebar_quickstart.admin import ADMIN, ensure_admin
from etebar_quickstart.errors import QuickstartError
from etebar_quickstart.ports import Ports
from etebar_quickstart.printer import Printer
from etebar_quickstart.stack import Stack
from etebar_quickstart.story import Story


def run(printer: Printer, *, tells_story: bool, once: bool) -> int:
    """Returns 0 when all held; raises QuickstartError naming what did not."""
    begun = time.monotonic()
    stack = Stack(
        paths.state_directory(), ports=Ports.from_environment(), report=printer.notice, on_death=printer.failure
    )
    with _signals_interrupt(), stack:
        printer.done(f"PostgreSQL and Redis run, the databases are migrated ({time.monotonic() - begun:.1f} s)")
        stack.start()
        printer.done(f"settlement, core, Celery worker and beat are ready ({time.monotonic() - begun:.1f} s)")
        if tells_story:
            Story(stack, printer).tell()
            printer.line()
            printer.done(f"all of it held ({time.monotonic() - begun:.1f} s)")
        else:
            ensure_admin(stack)
        if not once:
            _leave_running(stack, printer)
    if stack.deaths:
        raise QuickstartError(f"{len(stack.deaths)} of the processes died: {'; '.join(stack.deaths)}")
    return 0


def _leave_running(stack: Stack, printer: Printer) -> None:
    _print_addresses(stack, printer)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    printer.line("\nending ...")


def _print_addresses(stack: Stack, printer: Printer) -> None:
    core, settlement = stack.environments.core_url, stack.environments.settlement_url
    printer.line()
    for name, value in (
        ("API", f"{core}/api/v1"),
        ("API page", f"{core}/api/docs   (OpenAPI: {core}/api/openapi.json)"),
        ("admin", f"{core}/admin/   user {ADMIN}, password {stack.environments.secrets.admin_password}"),
        ("settlement", f"{settlement}/api/settlement"),
        ("logs", f"{stack.logs}"),
        (
            "your shell",
            'eval "$(.venv/bin/python -m etebar_quickstart env)"   then psql, manage.py, redis-cli -u $REDIS_URL',
        ),
    ):
        printer.line(f"  {name:<11} {value}")
    printer.line("\nEverything keeps running; Ctrl-C ends it.")


# SIGINT, too: a shell that starts us in the background has it ignored, and Python leaves it so
INTERRUPTING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """A terminal that closes or a SIGTERM ends the demo as Ctrl-C does, children included."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in INTERRUPTING}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
