"""The Prometheus that stands alone on the cluster, asked through `kubectl port-forward`."""

import contextlib
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import httpx2
from integration.waiting import wait_until

from .cluster import NAME, Cluster, make, run

NAMESPACE = "monitoring"
LATELY_SECONDS = 900.0
# no image of them is built here
WITHOUT = "--set grafana.enabled=false --set collector.enabled=false"
# as often as tests want to see them
OFTEN = (
    "--set-json",
    'core.extraEnv=[{"name": "VERIFY_BOOKS_INTERVAL_SECONDS", "value": "10"}]',
    "--set-string",
    "core.poolLowWaterMark=1000.00",
)
SERVICE = "service/etebar-observability-prometheus"


@dataclass(frozen=True)
class Prometheus:
    """`url` is on loopback."""

    url: str

    def _asked(self, path: str, **parameters: str) -> Any:
        answer = httpx2.post(f"{self.url}/api/v1/{path}", data=parameters, trust_env=False, timeout=30)
        told = answer.json()
        assert told["status"] == "success", f"{parameters}: {told.get('error')}"
        return told["data"]

    def _read(self, path: str) -> Any:
        return httpx2.get(f"{self.url}/api/v1/{path}", trust_env=False, timeout=30).json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result's samples; a number is one without labels. AssertionError when it cannot be evaluated."""
        data = self._asked("query", query=expression)
        return [{"metric": {}, "value": data["result"]}] if data["resultType"] == "scalar" else list(data["result"])

    def found_lately(self, expression: str) -> bool:
        """Whether it found anything at any time of the last minutes, as a panel shows them."""
        now = time.time()
        asked = {"query": expression, "start": f"{now - LATELY_SECONDS}", "end": f"{now}", "step": "10"}
        return bool(self._asked("query_range", **asked)["result"])

    def value(self, expression: str) -> float:
        """The sum of the result's samples; 0 without any."""
        return sum(float(each["value"][1]) for each in self.query(expression))

    def targets(self) -> dict[str, str]:
        """Health of each by pod and container."""
        active = self._read("targets?state=active")["activeTargets"]
        return {
            f"{each['labels'].get('pod', each['labels']['job'])}/{each['labels'].get('container', '')}": each["health"]
            for each in active
        }

    def alerts(self, state: str = "firing") -> set[str]:
        """The names of those in this state."""
        return {each["labels"]["alertname"] for each in self._read("alerts")["alerts"] if each["state"] == state}

    def rules(self) -> list[dict[str, Any]]:
        """All of them, with their health."""
        return [rule for group in self._read("rules")["groups"] for rule in group["rules"]]


@contextlib.contextmanager
def observed(cluster: Cluster, *arguments: str) -> Iterator[Prometheus]:
    """Beside a platform that compares its books often; `arguments` are helm's for the platform."""
    cluster.upgrade(None, *OFTEN, *arguments)
    make("kind-observability", ARGS=WITHOUT)
    with forwarded() as found:
        yield found


def _port_of(said: IO[str]) -> str:
    """The port that kubectl has taken, once it says so."""

    def found() -> str | None:
        # kubectl writes where this file stands: that must not move
        match = re.search(rb"127\.0\.0\.1:(\d+)", os.pread(said.fileno(), 4096, 0))
        return match[1].decode() if match else None

    return wait_until("kubectl port-forward says its port", found, 60)


@contextlib.contextmanager
def forwarded() -> Iterator[Prometheus]:
    """On a free port, until the end; once it is ready."""
    where = ("--context", f"kind-{NAME}", "--namespace", NAMESPACE)
    run("kubectl", *where, "rollout", "status", SERVICE.replace("service/", "deployment/"), "--timeout=3m")
    command = ["kubectl", *where, "port-forward", SERVICE, ":9090", "--address=127.0.0.1"]
    # a file, not a pipe: it says a line for each connection, and a pipe that nobody reads is full one day
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(command, stdout=said, text=True) as process:
        try:
            prometheus = Prometheus(f"http://127.0.0.1:{_port_of(said)}")
            wait_until("Prometheus answers", lambda: prometheus.query("vector(1)"), 60)
            yield prometheus
        finally:
            process.terminate()
