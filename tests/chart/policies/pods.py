"""Pods and their containers: images, resources, probes, how they end."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chart.rendered import Rendered
from etebar_deploy.workloads import PodTemplate

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
RESOURCES = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))


def pinned_images(rendered: Rendered) -> Iterator[str]:
    """Every image names a version or a digest."""
    for pod, container in _containers(rendered):
        image = container["image"]
        _, _, tag = image.rpartition("/")[2].partition(":")
        if "@sha256:" not in image and tag in {"", "latest"}:
            yield f"{pod.name}: {container['name']}: {image} names no version"


def our_images(rendered: Rendered) -> Iterator[str]:
    """Every image is one of ours, from the registry that values name."""
    registry = rendered.values["image"]["registry"].rstrip("/")
    for pod, container in _containers(rendered):
        if not re.match(
            rf"{re.escape(registry)}/?etebar-(core|settlement|operator|pgbouncer|redis|postgresql|exporters):",
            container["image"],
        ):
            yield f"{pod.name}: {container['name']}: {container['image']} is not from {registry or 'the nodes'}"


def resources(rendered: Rendered) -> Iterator[str]:
    """Every container asks for CPU and memory, and has a limit of memory."""
    for pod, container in _containers(rendered):
        own = container.get("resources") or {}
        for word, what in RESOURCES:
            if not own.get(word, {}).get(what):
                yield f"{pod.name}: {container['name']}: no resources.{word}.{what}"


def probes(rendered: Rendered) -> Iterator[str]:
    """Everything that runs for good, sidecars too, is asked whether it started, is ready, and lives.

    But for exporters, which are asked nothing: no server is taken from its callers for lack of metrics.
    """
    for pod, container in _containers(rendered):
        if pod.owner["kind"] not in {"Deployment", "StatefulSet"} or not _stays(pod, container):
            continue
        if container["name"].startswith("metrics-"):
            yield from (f"{pod.name}: {container['name']}: has a {probe}" for probe in PROBES if container.get(probe))
            continue
        yield from (f"{pod.name}: {container['name']}: no {probe}" for probe in PROBES if not container.get(probe))


def waits(rendered: Rendered) -> Iterator[str]:
    """What ends by itself is not probed, and does not start again by itself unless its Job says so."""
    for pod in rendered.pods:
        if pod.owner["kind"] in {"Job", "Pod"} and pod.spec.get("restartPolicy") != "Never":
            yield f"{pod.name}: restartPolicy is not Never"


def time_to_end(rendered: Rendered) -> Iterator[str]:
    """A pod's grace period is longer than the pause before its signal."""
    for pod, container in _containers(rendered):
        before = (container.get("lifecycle") or {}).get("preStop", {}).get("exec", {}).get("command") or []
        pauses = [int(found) for found in re.findall(r"sleep\D+(\d+)", " ".join(before))]
        if sum(pauses) >= pod.spec.get("terminationGracePeriodSeconds", 30):
            yield f"{pod.name}: {container['name']}: is killed while it still waits"


def nothing_unused(rendered: Rendered) -> Iterator[str]:
    """Every volume is mounted, every mount has its volume."""
    for pod in rendered.pods:
        mounts = {mount["name"] for container in pod.containers for mount in container.get("volumeMounts") or []}
        volumes = {volume["name"] for volume in pod.spec.get("volumes") or []} | _claims(pod)
        yield from (f"{pod.name}: volume {name} is mounted nowhere" for name in sorted(volumes - mounts))
        yield from (f"{pod.name}: mount {name} has no volume" for name in sorted(mounts - volumes))


def _claims(pod: PodTemplate) -> set[str]:
    return {claim["metadata"]["name"] for claim in pod.owner["spec"].get("volumeClaimTemplates") or []}


def _stays(pod: PodTemplate, container: Mapping[str, Any]) -> bool:
    return container in pod.spec["containers"] or container.get("restartPolicy") == "Always"


def _containers(rendered: Rendered) -> Iterator[tuple[PodTemplate, Mapping[str, Any]]]:
    return ((pod, container) for pod in rendered.pods for container in pod.containers)


POLICIES = (pinned_images, our_images, resources, probes, waits, time_to_end, nothing_unused)
