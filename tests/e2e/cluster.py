"""The kind cluster with the release `etebar`, as kubectl and helm see it."""

import base64
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from integration.api import Api
from integration.waiting import wait_until
from pages import blocks_of

REPOSITORY = Path(__file__).parents[2]
CHART = REPOSITORY / "charts" / "etebar"
RUNBOOKS = REPOSITORY / "docs" / "runbooks"
KIND_VALUES = REPOSITORY / "k8s" / "kind" / "values.yaml"
NAME = os.environ.get("E2E_CLUSTER", "etebar-e2e")
ADDRESS = ("127.0.0.1", int(os.environ.get("E2E_PORT", "8080")))
NAMESPACE = RELEASE = "etebar"
COMMAND_SECONDS = 600.0
MESSAGE = 4000
ROLLOUT = "--timeout=4m"


class CommandError(AssertionError):
    """A program that should have ended with 0; its own words are in the message."""


def run(*command: str | Path, text: str | None = None, seconds: float = COMMAND_SECONDS, **environ: str) -> str:
    """What the program printed; CommandError when it fails."""
    done = subprocess.run(
        command, check=False, input=text, capture_output=True, text=True, timeout=seconds, env={**os.environ, **environ}
    )
    if done.returncode:
        said = f"{done.stdout[-MESSAGE:]}{done.stderr[-MESSAGE:]}"
        raise CommandError(f"{' '.join(map(str, command))[:MESSAGE]}: {done.returncode}\n{said}")
    return done.stdout


def load_images(*images: str) -> None:
    """Puts images into the nodes; on disk, too, which is not to write them while a database commits."""
    run("kind", "load", "docker-image", "--name", NAME, *images)
    os.sync()


def follow(runbook: str) -> Iterator[str]:
    """Runs a runbook's commands as they stand there; yields what each step printed."""
    for block in blocks_of((RUNBOOKS / runbook).read_text()):
        yield run("bash", "-euc", f'kubectl() {{ command kubectl --context kind-{NAME} "$@"; }}\n{block.typed}')


def make(target: str, **variables: str) -> str:
    """`make kind-up` and so on, on the tests' own cluster."""
    chosen = [f"{name}={value}" for name, value in variables.items()]
    return run("make", "-C", REPOSITORY, target, *chosen, seconds=1200, KIND_CLUSTER=NAME)


@dataclass(frozen=True)
class Cluster:
    """`tag` is of the images that `make kind-up` built; `made_in_seconds` is None for a cluster that was there."""

    tag: str
    namespace: str = NAMESPACE
    made_in_seconds: float | None = None

    def kubectl(self, *arguments: str, text: str | None = None, seconds: float = COMMAND_SECONDS) -> str:
        where = ("--context", f"kind-{NAME}", "--namespace", self.namespace)
        return run("kubectl", *where, *arguments, text=text, seconds=seconds)

    def helm(self, *arguments: str) -> str:
        return run("helm", "--kube-context", f"kind-{NAME}", "--namespace", self.namespace, *arguments)

    def upgrade(self, tag: str | None = None, *arguments: str, timeout: str = "5m") -> str:
        """`helm upgrade --install` with kind's values and images of that tag."""
        images = f"image.tag={tag or self.tag}"
        chosen = ("--values", str(KIND_VALUES), "--set", images, *arguments)
        return self.helm("upgrade", "--install", RELEASE, str(CHART), *chosen, "--wait", "--timeout", timeout)

    def get(self, kind: str, *arguments: str) -> list[dict[str, Any]]:
        """The objects of a kind."""
        items: list[dict[str, Any]] = json.loads(self.kubectl("get", kind, "-o", "json", *arguments))["items"]
        return items

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Its pods that are not about to end; those that have, as helm test's, are none."""
        found = self.get("pods", "--selector", f"app.kubernetes.io/component={component}")
        running = [each for each in found if each["status"].get("phase") not in {"Succeeded", "Failed"}]
        return [each for each in running if "deletionTimestamp" not in each["metadata"]]

    def ready(self, component: str) -> int:
        """How many of its pods are ready."""
        return sum(is_ready(each) for each in self.pods(component))

    def restarts(self, component: str) -> int:
        """How often the containers of a component were started again."""
        statuses = (each for pod in self.pods(component) for each in pod["status"].get("containerStatuses", []))
        return sum(each["restartCount"] for each in statuses)

    def secret(self, name: str) -> dict[str, str]:
        """A Secret's content."""
        data = json.loads(self.kubectl("get", "secret", name, "-o", "json"))["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def execute(self, pod: str, *command: str, container: str | None = None, text: str | None = None) -> str:
        """What a command prints in a pod (`deploy/core-web`, `postgresql-0`)."""
        chosen = ("--container", container) if container else ()
        return self.kubectl("exec", "--stdin", pod, *chosen, "--", *command, text=text)

    def rolled_out(self, *workloads: str) -> None:
        """Waits until each is as its object says."""
        for each in workloads:
            self.kubectl("rollout", "status", each, ROLLOUT)

    def sql(self, database: str, statement: str) -> list[list[Any]]:
        """Rows, read by PostgreSQL's superuser in its pod."""
        as_json = f"SELECT coalesce(json_agg(to_json(r)), '[]') FROM ({statement}) AS r"
        found = self.execute("postgresql-0", "psql", "-U", "postgres", "-d", database, "-tAc", as_json)
        return [list(row.values()) for row in json.loads(found)]

    @contextmanager
    def audited(self) -> Iterator[tuple[str, str, str]]:
        """DSNs of both databases for the auditor's role, through a port of this machine, and its password."""
        password = self.secret("etebar-audit")["password"]
        where = ["--context", f"kind-{NAME}", "--namespace", self.namespace]
        command = ["kubectl", *where, "port-forward", "postgresql-0", ":5432"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                found = re.search(r":(\d+) ->", process.stdout.readline() if process.stdout else "")
                assert found, "kubectl forwards no port"
                place = f"postgresql://etebar_audit@127.0.0.1:{found.group(1)}"
                yield f"{place}/walletdb", f"{place}/settlementdb", password
            finally:
                process.terminate()

    def api(self) -> Api:
        """Core through the ingress, with the admin whom the chart made."""
        admin = self.secret("etebar-admin")
        return Api(f"http://{ADDRESS[0]}:{ADDRESS[1]}", admin["username"], admin["password"])

    def assert_books_agree(self) -> None:
        """manage.py verify_books, in a web pod."""
        printed = self.execute("deploy/core-web", "python", "manage.py", "verify_books", container="web")
        assert "The books agree (I1-I6)" in printed

    def wait_until_ready(self, component: str, count: int, seconds: float = 120.0) -> None:
        wait_until(f"{count} ready pods of {component}", lambda: self.ready(component) == count or None, seconds)


def is_ready(found: Mapping[str, Any]) -> bool:
    """Whether the condition Ready of an object is True."""
    conditions: Sequence[Mapping[str, str]] = found.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def running_tag() -> str:
    """The tag of the images that the cluster runs."""
    image = Cluster("").pods("core-web")[0]["spec"]["containers"][0]["image"]
    return str(image).partition(":")[2]
