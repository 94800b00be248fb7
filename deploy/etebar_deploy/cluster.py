"""The kind cluster, and the programs that talk to it: always to this one, whichever context kubectl has."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from etebar_deploy import tools
from etebar_quickstart import QuickstartError, paths

DEFAULT_NAME = "etebar"
CONFIG = paths.REPOSITORY / "kind-config.yaml"
START_TIMEOUT_SECONDS = 180
LABELS = "\n    ".join(f"pod-security.kubernetes.io/{mode}: restricted" for mode in ("enforce", "warn", "audit"))


@dataclasses.dataclass(frozen=True)
class Cluster:
    """`node_image` is kind's own when it is empty."""

    name: str
    node_image: str = ""

    @classmethod
    def chosen(cls, environ: Mapping[str, str] = os.environ) -> "Cluster":
        """KIND_CLUSTER, or etebar; KIND_NODE_IMAGE."""
        return cls(environ.get("KIND_CLUSTER") or DEFAULT_NAME, environ.get("KIND_NODE_IMAGE", ""))

    @property
    def context(self) -> str:
        """Its name in the kubeconfig."""
        return f"kind-{self.name}"

    def exists(self) -> bool:
        return self.name in tools.run("kind", "get", "clusters").split()

    def ensure(self) -> None:
        """Makes it when it is missing; QuickstartError when the one that is there does not answer."""
        if not self.exists():
            image = ["--image", self.node_image] if self.node_image else []
            wait = f"{START_TIMEOUT_SECONDS}s"
            self._kind("create", "cluster", "--config", str(CONFIG), "--wait", wait, *image)
        elif not self.is_known():
            self._kind("export", "kubeconfig")
        if not tools.succeeds("kubectl", "--context", self.context, "get", "--raw", "/readyz", "--request-timeout=20s"):
            raise QuickstartError(
                f"the cluster {self.name} is there, but does not answer: `make kind-down`, then again"
            )

    def is_known(self) -> bool:
        """Whether the kubeconfig has it: it may be another person's, or another file than when it was made."""
        return tools.succeeds("kubectl", "config", "get-contexts", self.context)

    def delete(self) -> None:
        self._kind("delete", "cluster")

    def load(self, images: Sequence[str], *, selector: str) -> None:
        """Copies images from docker to the nodes of these labels that do not have them; nothing else is copied."""
        nodes = self.kubectl("get", "nodes", "--selector", selector, "--output", "name")
        names = ",".join(name.removeprefix("node/") for name in nodes.split())
        self._kind("load", "docker-image", *images, "--nodes", names)

    def kubectl(self, *arguments: str, given: str = "") -> str:
        return tools.run("kubectl", *arguments, "--context", self.context, given=given.encode())

    def apply(self, manifest: Path) -> None:
        self.kubectl("apply", "--filename", str(manifest))

    def ensure_namespace(self, name: str) -> None:
        """With the strictest pod security."""
        labels = f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    {LABELS}\n"
        self.kubectl("apply", "--filename", "-", given=labels)

    def helm(self, *arguments: str) -> str:
        return tools.run("helm", *arguments, "--kube-context", self.context)

    def _kind(self, *arguments: str) -> None:
        tools.run("kind", *arguments, "--name", self.name)
