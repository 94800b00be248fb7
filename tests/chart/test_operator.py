"""What the operator is given: rights where it watches, a way to the API server, its own words in NOTES."""

from typing import Any

import pytest

from chart.rendered import RELEASE, Rendered, rendered_with

PEER = {"ipBlock": {"cidr": "192.0.2.10/32"}}


def where(rendered: Rendered, kind: str) -> list[str]:
    """The namespaces that have a Role (or binding) of the operator's for objects."""
    name = f"{RELEASE}-operator"
    found = [one["metadata"] for one in rendered.of_kind(kind)]
    return sorted(metadata.get("namespace", "every") for metadata in found if metadata["name"] == name)


# in each namespace that it watches; e2e asks a real API server for the same
OBJECTS_RIGHTS = {
    "merchants": ["list", "watch", "patch"],
    "merchants/status": ["patch"],
    "pooltopups": ["list", "watch", "patch"],
    "pooltopups/status": ["patch"],
    "secrets": ["get", "create", "patch"],
    "events": ["create"],
}


def verbs(role: dict[str, Any]) -> dict[str, list[str]]:
    """What a Role allows, by resource."""
    return {resource: rule["verbs"] for rule in role["rules"] for resource in rule["resources"]}


class TestRights:
    @pytest.mark.parametrize(("watched", "roles", "cluster_roles"), [
        ([], [RELEASE], []),
        (["team-a", "team-b"], ["team-a", "team-b"], []),
        (["*"], [], ["every"]),
    ])  # fmt: skip
    def test_are_where_it_watches(self, watched: list[str], roles: list[str], cluster_roles: list[str]) -> None:
        rendered = rendered_with({"operator": {"watchNamespaces": watched}})
        assert where(rendered, "Role") == where(rendered, "RoleBinding") == roles
        assert where(rendered, "ClusterRole") == where(rendered, "ClusterRoleBinding") == cluster_roles
        # what it has in its own namespace besides
        assert rendered.one("Role", "operator-pool")["rules"][0]["resources"] == ["creditpools"]

    @pytest.mark.parametrize(("watched", "kind"), [([], "Role"), (["team-a"], "Role"), (["*"], "ClusterRole")])
    def test_are_no_more_than_it_uses(self, watched: list[str], kind: str) -> None:
        rendered = rendered_with({"operator": {"watchNamespaces": watched}})
        assert verbs(rendered.one(kind, f"{RELEASE}-operator")) == OBJECTS_RIGHTS

    def test_are_none_without_it(self) -> None:
        rendered = rendered_with({"operator": {"enabled": False}})
        assert rendered.of_kind("Role", "ClusterRole", "CustomResourceDefinition") == []
        assert {"operator", "core-internal"}.isdisjoint(one["metadata"]["name"] for one in rendered.objects)


class TestTheApiServer:
    def test_is_reached_by_the_operator_alone(self) -> None:
        policy = {"kubernetesApi": [PEER], "kubernetesApiPorts": [443, 6443]}
        rendered = rendered_with({"networkPolicy": policy})
        ports = [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 6443}]
        rule = {"to": [PEER], "ports": ports}
        owners = [one["metadata"]["name"] for one in rendered.of_kind("NetworkPolicy") if rule in egress(one)]
        assert owners == ["operator"]

    def test_is_not_reached_when_nobody_told_its_address(self) -> None:
        rules = egress(rendered_with({}).one("NetworkPolicy", "operator"))
        assert [port["port"] for rule in rules for port in rule["ports"]] == [53, 53, 8001]


def egress(policy: dict[str, Any]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = policy["spec"].get("egress", [])
    return rules
