"""Pods without a label of ours, and what a pod can open."""

import json
from collections.abc import Mapping

from .cluster import Cluster

OUTSIDE = "strangers"
OPEN_DOOR = 8080

# opens connections all at once: a dropped packet is noticed after the timeout only
PROBE = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def is_open(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 3).close()
    except OSError:
        return False
    return True
addresses = sys.argv[1:]
with ThreadPoolExecutor() as threads:
    print(json.dumps(dict(zip(addresses, threads.map(is_open, addresses)))))
"""


def reach(cluster: Cluster, pod: str, addresses: Mapping[str, str], container: str | None = None) -> dict[str, bool]:
    """Which of the named addresses a pod can open."""
    printed = cluster.execute(pod, "python3", "-c", PROBE, *addresses.values(), container=container)
    found = json.loads(printed)
    return {name: found[address] for name, address in addresses.items()}


def stranger(tag: str) -> str:
    """A pod without any label of ours that listens on OPEN_DOOR."""
    security = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "stranger",
        "image": f"etebar-core:{tag}",
        "command": ["python3", "-m", "http.server", str(OPEN_DOOR), "--directory", "/tmp"],  # noqa: S108 - in a pod
        "securityContext": security,
    }
    spec = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stranger"}, "spec": spec})


def door_of(place: Cluster) -> str:
    """Where the stranger of a namespace listens."""
    (pod,) = place.get("pods", "--field-selector=metadata.name=stranger")
    return f"{pod['status']['podIP']}:{OPEN_DOOR}"
