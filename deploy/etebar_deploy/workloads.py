"""The pods that a rendered chart makes, whatever makes them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True)
class PodTemplate:
    """One pod as it will be: the object that makes it, its metadata and its spec."""

    owner: Mapping[str, Any]
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Kind and name of what makes it."""
        return f"{self.owner['kind']}/{self.owner['metadata']['name']}"

    @property
    def labels(self) -> Mapping[str, str]:
        return self.metadata.get("labels") or {}

    @property
    def component(self) -> str:
        """What our labels call it, or the owner's name."""
        return self.labels.get(COMPONENT) or str(self.owner["metadata"]["name"])

    @property
    def is_stranger(self) -> bool:
        """Whether it is a test's pod that stands for somebody else, and must have no rights of ours."""
        return self.labels.get("app.kubernetes.io/name") == "stranger"

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """All of them, initContainers first."""
        return [*(self.spec.get("initContainers") or []), *self.spec["containers"]]


def pod_templates(objects: Iterable[Mapping[str, Any]]) -> Iterator[PodTemplate]:
    """The pods of Pods, of everything that has a template, and of CronJobs."""
    for rendered in objects:
        spec = rendered.get("spec") or {}
        if rendered["kind"] == "Pod":
            yield PodTemplate(rendered, rendered["metadata"], spec)
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if isinstance(template, Mapping) and "containers" in (template.get("spec") or {}):
            yield PodTemplate(rendered, template.get("metadata") or {}, template["spec"])
