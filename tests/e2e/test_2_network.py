"""By traffic: strangers reach nothing of the release, its parts reach what the table allows, and nothing else."""

import pytest
from integration.waiting import wait_until

from .cluster import Cluster
from .strangers import OPEN_DOOR, door_of, reach

PORTS = {"settlement": 9000, "postgresql": 5432, "redis": 6379, "core-web": 8000, "core-internal": 8001}
# a sidecar listens on loopback only
PGBOUNCER_PORT, METRICS_PORT = 6432, 9464


@pytest.fixture(scope="module")
def targets(cluster: Cluster, strangers: dict[str, Cluster]) -> dict[str, str]:
    """Addresses of everything that listens, by Service and by pod."""
    del strangers
    services = {name: "core" if name == "core-web" else name for name in PORTS}
    found = {f"service {name}": f"{service}.{cluster.namespace}:{PORTS[name]}" for name, service in services.items()}
    for name, port in PORTS.items():
        found[f"pod {name}"] = f"{cluster.pods(name)[0]['status']['podIP']}:{port}"
    web = cluster.pods("core-web")[0]["status"]["podIP"]
    return found | {"pod pgbouncer": f"{web}:{PGBOUNCER_PORT}", "pod metrics": f"{web}:{METRICS_PORT}"}


def control_plane(cluster: Cluster) -> str:
    """An address outside of the pods' network on which something listens."""
    (node,) = cluster.get("nodes", "--selector", "node-role.kubernetes.io/control-plane")
    return str(next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"))


def another_pod(cluster: Cluster, component: str) -> str:
    """Not the one whose address is a target: whatever listens in a pod is open to itself."""
    return str(cluster.pods(component)[1]["metadata"]["name"])


class TestAStranger:
    @pytest.mark.parametrize("where", ["inside", "outside"])
    def test_reaches_nothing(self, strangers: dict[str, Cluster], targets: dict[str, str], where: str) -> None:
        door = {"another stranger": door_of(strangers["outside" if where == "inside" else "inside"])}
        found = reach(strangers[where], "stranger", {**targets, **door})
        assert found == dict.fromkeys(targets, False) | {"another stranger": True}


class TestCore:
    def test_reaches_what_it_needs(self, cluster: Cluster, targets: dict[str, str]) -> None:
        needed = {name: address for name, address in targets.items() if "core" not in name}
        found = reach(cluster, another_pod(cluster, "core-web"), needed, "web")
        # its own PgBouncer is on loopback; another pod's, and metrics, are not for it
        assert found == dict.fromkeys(needed, True) | {"pod pgbouncer": False, "pod metrics": False}

    def test_reaches_nobody_else(self, cluster: Cluster, strangers: dict[str, Cluster]) -> None:
        addresses = {"the Kubernetes API": "kubernetes.default:443", "a node": f"{control_plane(cluster)}:6443"}
        assert all(reach(strangers["inside"], "stranger", addresses).values())
        addresses |= {f"a stranger {where}": door_of(each) for where, each in strangers.items()}
        addresses |= {"the internal API": f"core-internal:{PORTS['core-internal']}"}
        assert reach(cluster, "deploy/core-web", addresses, "web") == dict.fromkeys(addresses, False)


class TestSettlement:
    def test_reaches_its_database_and_not_core_or_redis(self, cluster: Cluster, targets: dict[str, str]) -> None:
        # the Service may lead it to itself, which no policy forbids
        others = {name: address for name, address in targets.items() if name != "service settlement"}
        found = reach(cluster, another_pod(cluster, "settlement"), others, "settlement")
        assert {name for name, is_open in found.items() if is_open} == {"service postgresql", "pod postgresql"}


class TestTheOperator:
    def test_reaches_the_internal_api_and_kubernetes_and_nobody_else(
        self, cluster: Cluster, strangers: dict[str, Cluster], targets: dict[str, str]
    ) -> None:
        doors = {f"a stranger {where}": door_of(each) for where, each in strangers.items()}
        kubernetes = {"kubernetes": "kubernetes.default:443"}
        found = reach(cluster, "deploy/operator", {**targets, **doors, **kubernetes})
        reached = {name for name, is_open in found.items() if is_open}
        assert reached == {"service core-internal", "pod core-internal", "kubernetes"}

    def test_is_reached_by_nobody(self, cluster: Cluster, strangers: dict[str, Cluster]) -> None:
        (pod,) = cluster.pods("operator")
        ports = {f"port {port}": f"{pod['status']['podIP']}:{port}" for port in (OPEN_DOOR, METRICS_PORT)}
        for each in strangers.values():
            assert reach(each, "stranger", ports) == dict.fromkeys(ports, False)


class TestTheInternalApi:
    def test_reaches_its_database_and_nobody_else(self, cluster: Cluster, targets: dict[str, str]) -> None:
        others = {name: address for name, address in targets.items() if "core-internal" not in name}
        found = reach(cluster, "deploy/core-internal", others, "internal")
        assert {name for name, is_open in found.items() if is_open} == {"service postgresql", "pod postgresql"}


class TestWebhooks:
    def test_reach_their_database_and_nobody_of_the_release_or_near_it(
        self, cluster: Cluster, strangers: dict[str, Cluster], targets: dict[str, str]
    ) -> None:
        doors = {f"a stranger {where}": door_of(each) for where, each in strangers.items()}
        doors |= {"kubernetes": "kubernetes.default:443", "a node": f"{control_plane(cluster)}:6443"}
        found = reach(cluster, "deploy/core-webhooks", {**targets, **doors}, "webhooks")
        assert {name for name, is_open in found.items() if is_open} == {"service postgresql", "pod postgresql"}


class TestWithoutThePolicies:
    def test_a_stranger_gets_through(
        self, cluster: Cluster, strangers: dict[str, Cluster], targets: dict[str, str]
    ) -> None:
        cluster.kubectl("delete", "networkpolicies", "--all")
        # a sidecar listens on loopback only: nobody gets there without a policy, either
        others = {name: address for name, address in targets.items() if name != "pod pgbouncer"}
        try:
            for each in strangers.values():
                wait_until("strangers get through", lambda each=each: all(reach(each, "stranger", others).values()))
        finally:
            cluster.upgrade()
        wait_until(
            "strangers are kept out", lambda: not any(reach(strangers["inside"], "stranger", targets).values()), 60
        )
