"""NetworkPolicies are evaluated as Kubernetes does: both sides must allow."""

from typing import Any

import pytest

from etebar_deploy.network import Network, Party, network
from etebar_deploy.network_table import flows
from etebar_deploy.selectors import selects

Object = dict[str, Any]
COMPONENT = "app.kubernetes.io/component"
ANYBODY = ("any other pod of the namespace", "any pod of another namespace", "any address outside the cluster")


def pod(name: str, port: int = 80) -> Object:
    container = {"name": "main", "ports": [{"name": "http", "containerPort": port}]}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": {COMPONENT: name}},
        "spec": {"containers": [container]},
    }


def policy(name: str, **spec: Any) -> Object:
    return {
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {"matchLabels": {COMPONENT: name}}, **spec},
    }


def to(name: str) -> Object:
    return {"podSelector": {"matchLabels": {COMPONENT: name}}}


def party(own: Network, name: str) -> Party:
    return next(one for one in own.parties if one.name == name)


def numbers(own: Network, source: str, target: str) -> list[int]:
    return [number for _, number in own.ports(party(own, source), party(own, target))]


class TestBothSides:
    def test_without_policies_everything_is_open(self) -> None:
        own = network([pod("a"), pod("b")])
        assert numbers(own, "a", "b") == [1, 80]
        assert all(numbers(own, name, "b") for name in ANYBODY)

    def test_what_leaves_must_be_allowed(self) -> None:
        denied = network([pod("a"), pod("b"), policy("a", policyTypes=["Egress"])])
        assert numbers(denied, "a", "b") == []
        assert numbers(denied, "b", "a") == [1, 80]

    def test_what_enters_must_be_allowed(self) -> None:
        own = network([pod("a"), pod("b"), policy("b", policyTypes=["Ingress"])])
        assert numbers(own, "a", "b") == []
        assert [numbers(own, name, "b") for name in ANYBODY] == [[], [], []]

    def test_one_side_alone_is_not_enough(self) -> None:
        both = policy("b", policyTypes=["Ingress"], ingress=[{"from": [to("a")]}])
        egress = policy("a", policyTypes=["Egress"], egress=[{"to": [to("b")], "ports": [{"port": 80}]}])
        assert numbers(network([pod("a"), pod("b"), both]), "a", "b") == [1, 80]
        assert numbers(network([pod("a"), pod("b"), both, egress]), "a", "b") == [80]

    def test_policies_add_up(self) -> None:
        denied = policy("b", policyTypes=["Ingress"])
        allowed = policy("b", policyTypes=["Ingress"], ingress=[{"from": [to("a")], "ports": [{"port": "http"}]}])
        assert numbers(network([pod("a"), pod("b"), denied, allowed]), "a", "b") == [80]

    def test_egress_alone_makes_a_policy_of_both_types_unless_it_says_so(self) -> None:
        own = network([pod("a"), pod("b"), policy("b", egress=[{}])])
        assert numbers(own, "a", "b") == []
        assert numbers(own, "b", "a") == [1, 80]


class TestPorts:
    @pytest.mark.parametrize(("ports", "open_ports"), [
        ([{"port": 80}], [80]),
        ([{"port": "http"}], [80]),
        ([{"port": "other"}], []),
        ([{"protocol": "UDP", "port": 80}], [80]),
        ([{"port": 79, "endPort": 81}], [79, 80, 81]),
        ([{"protocol": "TCP"}], [1, 80]),
        ([], [1, 80]),
    ])  # fmt: skip
    def test_a_rule_opens(self, ports: list[Object], open_ports: list[int]) -> None:
        rule = policy("b", policyTypes=["Ingress"], ingress=[{"from": [to("a")], "ports": ports}])
        assert numbers(network([pod("a"), pod("b"), rule]), "a", "b") == open_ports


class TestPeers:
    def test_an_empty_list_is_everybody(self) -> None:
        own = network([pod("b"), policy("b", policyTypes=["Ingress"], ingress=[{"ports": [{"port": 80}]}])])
        assert [numbers(own, name, "b") for name in ANYBODY] == [[80], [80], [80]]

    def test_a_pod_selector_is_of_this_namespace(self) -> None:
        own = network([pod("b"), policy("b", policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": {}}]}])])
        assert [bool(numbers(own, name, "b")) for name in ANYBODY] == [True, False, False]

    def test_a_namespace_selector_is_of_all_its_pods(self) -> None:
        monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
        own = network([pod("b"), policy("b", policyTypes=["Ingress"], ingress=[{"from": [monitoring]}])])
        assert numbers(own, "every pod of namespace monitoring", "b")
        assert [numbers(own, name, "b") for name in ANYBODY] == [[], [], []]

    def test_a_block_outside_is_itself_only(self) -> None:
        block = {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.9/32"]}}
        own = network([pod("a"), policy("a", policyTypes=["Egress"], egress=[{"to": [block]}])])
        assert numbers(own, "a", "203.0.113.0/24 without 203.0.113.9/32")
        assert [numbers(own, "a", name) for name in ANYBODY] == [[], [], []]

    @pytest.mark.parametrize("cidr", ["10.0.0.0/8", "0.0.0.0/0"])
    def test_a_block_that_may_hold_pods_is_taken_to_hold_them(self, cidr: str) -> None:
        own = network([pod("a"), policy("a", policyTypes=["Egress"], egress=[{"to": [{"ipBlock": {"cidr": cidr}}]}])])
        assert numbers(own, "a", ANYBODY[0])

    def test_who_is_named_by_labels_only_is_a_party(self) -> None:
        expression = {"matchExpressions": [{"key": COMPONENT, "operator": "In", "values": ["a", "guest"]}]}
        own = network(
            [
                pod("a"),
                pod("b"),
                policy("b", policyTypes=["Ingress"], ingress=[{"from": [{"podSelector": expression}]}]),
            ]
        )
        assert {flow.source for flow in flows(own) if flow.target == "b"} == {"a", f"pods {COMPONENT}=guest"}


class TestSelectors:
    @pytest.mark.parametrize(("operator", "values", "labels", "taken"), [
        ("In", ["x", "y"], {"k": "x"}, True),
        ("In", ["x", "y"], {"k": "z"}, False),
        ("In", ["x"], {}, False),
        ("NotIn", ["x"], {"k": "x"}, False),
        ("NotIn", ["x"], {}, True),
        ("Exists", None, {"k": "any"}, True),
        ("Exists", None, {}, False),
        ("DoesNotExist", None, {"k": "any"}, False),
        ("DoesNotExist", None, {}, True),
    ])  # fmt: skip
    def test_an_expression(
        self, operator: str, values: list[str] | None, labels: dict[str, str], *, taken: bool
    ) -> None:
        expression: Object = {"key": "k", "operator": operator}
        if values:
            expression["values"] = values
        assert selects({"matchExpressions": [expression]}, labels) is taken

    def test_an_empty_one_takes_all(self) -> None:
        assert selects({}, {"any": "label"})

    def test_an_unknown_operator_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="Near is no operator"):
            selects({"matchExpressions": [{"key": "k", "operator": "Near"}]}, {})
