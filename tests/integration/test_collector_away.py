"""A collector of traces that refuses connections, or takes them and never answers: nobody waits for it."""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from etebar_quickstart.ports import free_port

from .platform import Platform, databases
from .waiting import wait_until


@pytest.mark.parametrize("answers", ["refuses", "never answers"])
def test_changes_no_answer_and_costs_a_line_in_the_log(answers: str) -> None:
    with contextlib.ExitStack() as opened:
        url = opened.enter_context(deaf(answers))
        stack = opened.enter_context(databases())
        everyone = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "LOG_LEVEL": "INFO"}
        platform = opened.enter_context(Platform.started(stack, everyone=everyone))
        merchant = platform.api.merchant()
        started = time.monotonic()
        assert [merchant.withdraw().status_code for _ in range(20)] == [201] * 20
        assert time.monotonic() - started < 10
        wait_until("the log tells", lambda: lost_lines(platform, "core") and lost_lines(platform, "settlement"))
        stopping = time.monotonic()
        platform.stack.stop("core")
        assert time.monotonic() - stopping < 10
        assert [len(lost_lines(platform, name)) for name in ("core", "settlement")] == [1, 1]


@contextlib.contextmanager
def deaf(answers: str) -> Iterator[str]:
    """The address of a collector that refuses connections, or takes them and never answers."""
    if answers == "refuses":
        yield f"http://127.0.0.1:{free_port()}"
        return
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def lost_lines(platform: Platform, service: str) -> list[str]:
    lines = (platform.stack.logs / f"{service}.log").read_text().splitlines()
    return [line for line in lines if "collector does not take spans" in line or "opentelemetry" in line]
