"""Core's internal API as a process beside the stack, as its own Deployment is on a cluster."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2

from etebar_quickstart import paths
from etebar_quickstart.ports import HOST, free_port
from etebar_quickstart.stack import Stack

from .waiting import wait_until

TOKEN = "operator-token-" + "x" * 32
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class InternalApi:
    """Where it listens, and a client with the operator's token."""

    url: str
    http: httpx2.Client = field(repr=False)

    def put(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        """What it answers to the operator."""
        return self.http.put(f"/internal/v1/{path}", json=body)

    def is_ready(self) -> bool:
        try:
            return self.http.get("/readyz").is_success
        except httpx2.TransportError:
            return False


def command(port: int) -> list[str]:
    """As the chart runs it."""
    options = ["--interface", "wsgi", "--http", "1", "--host", HOST, "--port", str(port), "--blocking-threads", "8"]
    return [sys.executable, "-m", "granian", *options, "core.internal_wsgi:application"]


@contextlib.contextmanager
def serving(stack: Stack) -> Iterator[InternalApi]:
    """It serves, on core's own settings."""
    port = free_port()
    url, headers = f"http://{HOST}:{port}", {"Authorization": f"Bearer {TOKEN}"}
    environment = {**stack.environments.core(), "OPERATOR_TOKEN": TOKEN}
    process = subprocess.Popen(command(port), cwd=paths.CORE, env=environment)
    try:
        with httpx2.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            api = InternalApi(url, http)
            wait_until("the internal API is ready", lambda: api.is_ready() or None)
            yield api
    finally:
        process.terminate()
        process.wait(TIMEOUT_SECONDS)
