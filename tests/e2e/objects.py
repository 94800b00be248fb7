"""Objects of the onboarding operator, as kubectl applies and shows them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from integration.waiting import wait_until

from .cluster import Cluster

API_VERSION = "etebar.dev/v1alpha1"
Manifest = dict[str, Any]
# above it a limit takes two people
THRESHOLD = "5000.00"
WITH_THRESHOLD = ("--set-string", f"core.creditLimitApprovalThreshold={THRESHOLD}")


def manifest(kind: str, name: str, spec: Mapping[str, Any]) -> Manifest:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def merchant(name: str, **spec: Any) -> Manifest:
    """An approved merchant of the sandbox, whose username is the object's name."""
    common = {"username": name, "bankAccount": "IRTEST0000000000009", "creditLimit": "100.00", "approved": True}
    return manifest("Merchant", name, common | spec)


def top_up(name: str, amount: str, reference: str) -> Manifest:
    return manifest("PoolTopUp", name, {"amount": amount, "reference": reference})


def apply(cluster: Cluster, *manifests: Manifest) -> None:
    """`kubectl apply` of them all."""
    listed = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
    cluster.kubectl("apply", "--filename", "-", text=json.dumps(listed))


def shown(cluster: Cluster, kind: str, name: str) -> Manifest:
    """The object as it is."""
    found: Manifest = json.loads(cluster.kubectl("get", kind, name, "-o", "json"))
    return found


def conditions(found: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Status and reason by type, of the object's own generation only."""
    generation = found["metadata"]["generation"]
    return {
        each["type"]: (each["status"], each["reason"])
        for each in found.get("status", {}).get("conditions", [])
        if each["observedGeneration"] == generation
    }


def wait_for(cluster: Cluster, kind: str, name: str, seconds: float = 15.0, **expected: tuple[str, str]) -> Manifest:
    """The object, once its conditions are these: `Ready=("True", "Ready")`."""

    def found() -> Manifest | None:
        one = shown(cluster, kind, name)
        return one if expected.items() <= conditions(one).items() else None

    return wait_until(f"{kind} {name} is {expected}", found, seconds)


def ready(cluster: Cluster, names: Iterable[str], seconds: float = 15.0) -> None:
    """Waits for merchants, all at once."""
    cluster.kubectl(
        "wait", "--for=condition=Ready", f"--timeout={seconds:.0f}s", *(f"merchant/{each}" for each in names)
    )


def events(cluster: Cluster, name: str) -> list[tuple[str, str]]:
    """Reason and message of what was told of an object."""
    found = cluster.get("events", "--field-selector", f"involvedObject.name={name}")
    return [(each["reason"], each["message"]) for each in found]
