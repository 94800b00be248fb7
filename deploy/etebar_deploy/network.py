"""Who may reach whom by NetworkPolicies: both what leaves one pod and what enters the other must be allowed."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from etebar_deploy.selectors import Labels, Object, Port, container_ports, examples, numbers, opens, selects
from etebar_deploy.workloads import PodTemplate, pod_templates

NAMESPACE_NAME = "kubernetes.io/metadata.name"
ANY_ADDRESS = "0.0.0.0/0"
# stands for all ports that no policy and no container names
UNNAMED_PORT: Port = ("TCP", 1)
# where clusters take the addresses of pods from: a block that overlaps these may hold any pod
POD_BLOCKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fd00::/8")
POD_ADDRESSES = [ipaddress.ip_network(block) for block in POD_BLOCKS]
OF_EVERY_POD = ("app.kubernetes.io/name", "app.kubernetes.io/instance")


@dataclass(frozen=True, kw_only=True)
class Party:
    """One who sends or receives: a pod (labels, its namespace's labels) or an address block outside the cluster."""

    name: str
    labels: Labels = field(default_factory=dict)
    namespace: Labels | None = None
    block: str = ""
    ports: Mapping[str, Port] = field(default_factory=dict)
    is_ours: bool = False
    # stands for everybody else
    is_stranger: bool = False


@dataclass(frozen=True, kw_only=True)
class Network:
    """The NetworkPolicies of one namespace, and everybody whom they or the rendered pods name."""

    namespace: str
    policies: Sequence[Object]
    parties: Sequence[Party]

    def ports(self, source: Party, target: Party) -> list[Port]:
        """The ports of `target` that `source` may open, of all that anybody names and of one that nobody does."""
        return [
            port
            for port in sorted(self._named_ports() | {UNNAMED_PORT})
            if self._allows(source, target, "Egress", port) and self._allows(target, source, "Ingress", port)
        ]

    def binds(self, party: Party, direction: str) -> list[Object]:
        """The policies that a party's traffic in one direction needs to be allowed by; without one, all of it is."""
        if party.namespace != {NAMESPACE_NAME: self.namespace}:
            return []
        return [policy["spec"] for policy in self.policies if _binds(policy["spec"], party, direction)]

    def _allows(self, bound: Party, other: Party, direction: str, port: Port) -> bool:
        policies = self.binds(bound, direction)
        named = (other if direction == "Egress" else bound).ports
        word = "to" if direction == "Egress" else "from"
        return not policies or any(
            opens(rule, port, named) and self._names(rule.get(word), other)
            for spec in policies
            for rule in spec.get(direction.lower()) or []
        )

    def _named_ports(self) -> set[Port]:
        specs = [policy["spec"] for policy in self.policies]
        rules = [rule for spec in specs for word in ("ingress", "egress") for rule in spec.get(word) or []]
        return {port for rule in rules for port in numbers(rule)} | {
            port for party in self.parties for port in party.ports.values()
        }

    def _names(self, peers: Sequence[Object] | None, party: Party) -> bool:
        """Without peers, everybody is meant."""
        return not peers or any(self._is(peer, party) for peer in peers)

    def _is(self, peer: Object, party: Party) -> bool:
        if "ipBlock" in peer:
            return _holds(peer["ipBlock"], party)
        if party.namespace is None:
            return False
        if "namespaceSelector" in peer:
            within = selects(peer["namespaceSelector"], party.namespace)
        else:
            within = party.namespace == {NAMESPACE_NAME: self.namespace}
        return within and selects(peer.get("podSelector") or {}, party.labels)


def _binds(spec: Object, party: Party, direction: str) -> bool:
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return direction in types and selects(spec["podSelector"], party.labels)


def _holds(block: Object, party: Party) -> bool:
    network = ipaddress.ip_network(block["cidr"])
    inside = [ipaddress.ip_network(text) for text in block.get("except") or []]
    if party.namespace is not None:
        reached = [pods for pods in POD_ADDRESSES if network.version == pods.version and network.overlaps(pods)]
        return any(not any(_contains(hole, pods) for hole in inside) for pods in reached)
    own = ipaddress.ip_network(party.block)
    return _contains(network, own) and not any(_contains(hole, own) for hole in inside)


def _contains(network: Any, own: Any) -> bool:
    return bool(network.version == own.version and own.subnet_of(network))


def network(objects: Iterable[Mapping[str, Any]], namespace: str = "etebar") -> Network:
    """The network of a rendered chart. Pods that stand for strangers are among those who are not ours."""
    objects = list(objects)
    policies = [rendered for rendered in objects if rendered["kind"] == "NetworkPolicy"]
    ours = _ours(pod_templates(objects), namespace)
    named = {party.name: party for peer in _peers(policies) for party in _outside(peer, namespace)}
    others = [party for party in named.values() if not any(_covers(one, party) for one in ours)]
    return Network(namespace=namespace, policies=policies, parties=[*ours, *others, *_strangers(namespace)])


def _ours(pods: Iterable[PodTemplate], namespace: str) -> list[Party]:
    found: dict[str, Party] = {}
    for pod in pods:
        party = Party(
            name=pod.component,
            labels=pod.labels,
            namespace={NAMESPACE_NAME: namespace},
            ports=container_ports(pod.containers),
            is_ours=True,
        )
        if not pod.is_stranger:
            found.setdefault(party.name, party)
    return list(found.values())


def _strangers(namespace: str) -> list[Party]:
    here, elsewhere = {NAMESPACE_NAME: namespace}, {NAMESPACE_NAME: "another"}
    return [
        Party(name="any other pod of the namespace", namespace=here, is_stranger=True),
        Party(name="any pod of another namespace", namespace=elsewhere, is_stranger=True),
        Party(name="any address outside the cluster", block=ANY_ADDRESS, is_stranger=True),
    ]


def _peers(policies: Iterable[Object]) -> list[Object]:
    return [
        peer
        for policy in policies
        for direction, word in (("ingress", "from"), ("egress", "to"))
        for rule in policy["spec"].get(direction) or []
        for peer in rule.get(word) or []
    ]


def _outside(peer: Object, namespace: str) -> list[Party]:
    """The parties that a policy's peer names, as far as it tells them apart."""
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        holes = f" without {', '.join(block['except'])}" if block.get("except") else ""
        return [Party(name=f"{block['cidr']}{holes}", block=block["cidr"])]
    own = {"matchLabels": {NAMESPACE_NAME: namespace}}
    return [
        Party(name=_described(within, labels, namespace), labels=labels, namespace=within)
        for within in examples(peer.get("namespaceSelector", own))
        for labels in examples(peer.get("podSelector") or {})
    ]


def _described(within: Labels, labels: Labels, namespace: str) -> str:
    pods = f"pods {_told(labels)}" if labels else "every pod"
    if within == {NAMESPACE_NAME: namespace}:
        return pods
    if set(within) == {NAMESPACE_NAME}:
        return f"{pods} of namespace {within[NAMESPACE_NAME]}"
    return f"{pods} of namespaces {_told(within)}" if within else f"{pods} of any namespace"


def _told(labels: Labels) -> str:
    """Without the labels that all of the release's pods have."""
    common = OF_EVERY_POD if labels.get("app.kubernetes.io/name") == "etebar" else ()
    told = [f"{key}={value}" for key, value in labels.items() if key not in common]
    return " and ".join(told or ["of the release"])


def _covers(party: Party, other: Party) -> bool:
    """Whether `other`, made up from a selector, is a pod that is there."""
    return party.namespace == other.namespace and other.labels.items() <= party.labels.items()
