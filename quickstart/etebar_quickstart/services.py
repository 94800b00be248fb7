"""Our own programs: how each is started, and how one knows that it is ready."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from etebar_quickstart import paths
from etebar_quickstart.environments import Environments
from etebar_quickstart.ports import HOST
from etebar_quickstart.process import Program
from etebar_quickstart.redis_server import connect

NAMES = ("settlement", "core", "worker", "beat", "webhooks")
PROBE_TIMEOUT_SECONDS = 2.0
# METRICS_PORT of the caller's shell is the web's
WITHOUT_METRICS = {"METRICS_PORT": "0"}


def program(name: str, environments: Environments, state: Path, overrides: Mapping[str, str]) -> Program:
    """One of NAMES, with `overrides` over its environment."""
    return _FACTORIES[name](environments, state, overrides)


def _core(environments: Environments, state: Path, overrides: Mapping[str, str]) -> Program:  # noqa: ARG001
    port = str(environments.ports.core)
    # granian's own variable, which it would read itself if it inherited it
    workers = os.environ.get("GRANIAN_WORKERS", "1")
    options = ["--interface", "asginl", "--http", "1", "--host", HOST, "--port", port, "--workers", workers]
    return Program(
        name="core",
        arguments=[sys.executable, "-m", "granian", *options, "--respawn-failed-workers", "core.asgi:application"],
        directory=paths.CORE,
        environment={**environments.core(), **overrides},
        ready=_answers(f"{environments.core_url}/readyz"),
    )


def _settlement(environments: Environments, state: Path, overrides: Mapping[str, str]) -> Program:  # noqa: ARG001
    # Nobody proxies: else uvicorn takes the caller's address from a header, if the caller is on this host.
    options = ["--host", HOST, "--port", str(environments.ports.settlement), "--no-proxy-headers"]
    return Program(
        name="settlement",
        arguments=[sys.executable, "-m", "uvicorn", "settlement.main:create_app", "--factory", *options],
        directory=paths.SETTLEMENT,
        environment={**environments.settlement(), **overrides},
        ready=_answers(f"{environments.settlement_url}/readyz"),
    )


def _worker(environments: Environments, state: Path, overrides: Mapping[str, str]) -> Program:  # noqa: ARG001
    environment = {**environments.core(), **WITHOUT_METRICS, **overrides}
    # Gossip and mingle look for other workers and cost a second at each start; there are none.
    options = ["--concurrency", "2", "--without-gossip", "--without-mingle"]
    return Program(
        name="worker",
        arguments=[sys.executable, "-m", "celery", "-A", "core", "worker", *options],
        directory=paths.CORE,
        environment=environment,
        ready=_takes_commands(environment["REDIS_URL"]),
    )


def _beat(environments: Environments, state: Path, overrides: Mapping[str, str]) -> Program:
    schedule = state / "beat-schedule"
    return Program(
        name="beat",
        arguments=[sys.executable, "-m", "celery", "-A", "core", "beat", "--schedule", str(schedule)],
        directory=paths.CORE,
        environment={**environments.core(), **WITHOUT_METRICS, **overrides},
        ready=lambda: any(state.glob(f"{schedule.name}*")),
    )


def _webhooks(environments: Environments, state: Path, overrides: Mapping[str, str]) -> Program:
    sign = state / "webhooks-alive"
    sign.unlink(missing_ok=True)
    own = {"SIGN_OF_LIFE_FILE": str(sign)}
    return Program(
        name="webhooks",
        arguments=[sys.executable, "manage.py", "deliver_webhooks"],
        directory=paths.CORE,
        environment={**environments.core(), **WITHOUT_METRICS, **own, **overrides},
        ready=sign.exists,
    )


_FACTORIES: dict[str, Callable[[Environments, Path, Mapping[str, str]], Program]] = {
    "core": _core,
    "settlement": _settlement,
    "worker": _worker,
    "beat": _beat,
    "webhooks": _webhooks,
}


def _answers(url: str) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=PROBE_TIMEOUT_SECONDS) as answer:  # noqa: S310 - our own http URL
                return bool(answer.status == 200)  # noqa: PLR2004
        except (urllib.error.URLError, OSError):
            return False

    return ready


def _takes_commands(redis_url: str) -> Callable[[], bool]:
    """A Celery worker that is ready has subscribed to the pattern of its remote-control queue."""

    def ready() -> bool:
        with connect(redis_url) as client:
            return bool(client.pubsub_numpat())

    return ready
