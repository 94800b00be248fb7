"""What makes pods, and what looks after them: selectors, replicas, budgets, autoscalers, Services' pods."""

from collections.abc import Iterator, Mapping
from typing import Any

from chart.rendered import Rendered
from etebar_deploy.selectors import selects

KINDS = ("Deployment", "StatefulSet")


def own_pods(rendered: Rendered) -> Iterator[str]:
    """A workload selects its own pods, and no other workload's."""
    workloads = rendered.of_kind(*KINDS)
    templates = [pod for pod in rendered.pods if pod.owner["kind"] != "Pod"]
    for workload in workloads:
        name = _name(workload)
        selected = {pod.name for pod in templates if selects(workload["spec"]["selector"], pod.labels)}
        if selected != {name}:
            yield f"{name}: selects {', '.join(sorted(selected)) or 'nobody'}"


def budgets(rendered: Rendered) -> Iterator[str]:
    """Each budget is for one workload, lets a node be drained, and is there for all that have more than one pod."""
    targets = [_target(rendered, budget) for budget in rendered.of_kind("PodDisruptionBudget")]
    for budget, target in zip(rendered.of_kind("PodDisruptionBudget"), targets, strict=True):
        if target is None:
            yield f"{_name(budget)}: selects no workload of ours"
        if not budget["spec"].get("maxUnavailable"):
            yield f"{_name(budget)}: would keep a node from being drained"
    if rendered.values["podDisruptionBudget"]["enabled"]:
        for workload in rendered.of_kind("Deployment"):
            if workload["spec"].get("replicas") != 1 and workload not in targets:
                yield f"{_name(workload)}: has no PodDisruptionBudget"


def replicas(rendered: Rendered) -> Iterator[str]:
    """An autoscaler's target exists and does not say how many pods it has; every other workload does."""
    scaled = {
        (target["kind"], target["name"])
        for scaler in rendered.of_kind("HorizontalPodAutoscaler")
        for target in [scaler["spec"]["scaleTargetRef"]]
    }
    workloads = {(one["kind"], one["metadata"]["name"]): one for one in rendered.of_kind(*KINDS)}
    yield from (f"{kind}/{name}: is scaled, but not there" for kind, name in sorted(scaled - workloads.keys()))
    for key, workload in workloads.items():
        if ("replicas" in workload["spec"]) == (key in scaled):
            yield f"{_name(workload)}: replicas are {'set beside an autoscaler' if key in scaled else 'not set'}"


def services(rendered: Rendered) -> Iterator[str]:
    """Each Service has one workload's pods and nobody else's, and a container port of theirs for each of its ports.

    But for the headless one of metrics, which has whoever has a port of that name.
    """
    for service in rendered.of_kind("Service"):
        if service["metadata"]["name"] == "metrics":
            yield from _metrics(rendered, service)
            continue
        pods = [pod for pod in rendered.pods if selects({"matchLabels": service["spec"]["selector"]}, pod.labels)]
        if [pod.owner["kind"] in KINDS for pod in pods] != [True]:
            yield f"{_name(service)}: serves {', '.join(pod.name for pod in pods) or 'nobody'}"
            continue
        ports = [port for container in pods[0].containers for port in container.get("ports") or []]
        known = {port.get("name") for port in ports} | {port["containerPort"] for port in ports}
        for port in service["spec"]["ports"]:
            if port.get("targetPort", port["port"]) not in known:
                yield f"{_name(service)}: {port['port']} leads to no port of {pods[0].name}"


def _metrics(rendered: Rendered, service: Mapping[str, Any]) -> Iterator[str]:
    """Every port named for metrics is in it, and it has no other."""
    named = {
        (port["name"], port["containerPort"])
        for pod in rendered.pods
        for container in pod.containers
        for port in container.get("ports") or []
        if port["name"].startswith("metrics")
    }
    told = {(port["targetPort"], port["port"]) for port in service["spec"]["ports"]}
    yield from (f"{_name(service)}: {name} {port} is on one side only" for name, port in sorted(named ^ told))
    if service["spec"].get("clusterIP") != "None":
        yield f"{_name(service)}: is not headless: whom it leads to would be chance"


def old_revisions(rendered: Rendered) -> Iterator[str]:
    """As many are kept as values say."""
    for workload in rendered.of_kind(*KINDS):
        if workload["spec"].get("revisionHistoryLimit") != rendered.values["revisionHistoryLimit"]:
            yield f"{_name(workload)}: revisionHistoryLimit is not the one of values"


def _target(rendered: Rendered, budget: Mapping[str, Any]) -> dict[str, Any] | None:
    found = [
        workload
        for workload in rendered.of_kind(*KINDS)
        if selects(budget["spec"]["selector"], workload["spec"]["template"]["metadata"]["labels"])
    ]
    return found[0] if len(found) == 1 else None


def _name(rendered: Mapping[str, Any]) -> str:
    return f"{rendered['kind']}/{rendered['metadata']['name']}"


POLICIES = (own_pods, budgets, replicas, services, old_revisions)
