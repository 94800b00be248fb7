"""The tables of docs/security.md: who may reach whom on which port, out of the rendered NetworkPolicies."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from etebar_deploy.chart import render
from etebar_deploy.network import UNNAMED_PORT, Network, Party, network
from etebar_deploy.selectors import Port

HEAD = ("| who is reached | on | by whom |", "| --- | --- | --- |")
MODES = {
    "sidecar": "With `pgbouncer.mode: sidecar`, the default (PgBouncer listens on loopback in core's own pods):",
    "deployment": "With `pgbouncer.mode: deployment`:",
}
BANK = {"url": "https://bank.example/v1", "existingSecret": "bank"}
BLOCK = [{"ipBlock": {"cidr": "203.0.113.0/24"}}]
EXTERNAL = {"host": "postgresql.example"}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "`networkPolicy.loadTest: true`": {"networkPolicy": {"loadTest": True}},
    "`networkPolicy.audit: true`": {"networkPolicy": {"audit": True}},
    "`settlement.bank.url`, `networkPolicy.bank: [{ipBlock: {cidr: 203.0.113.0/24}}]`": {
        "settlement": {"bank": BANK},
        "networkPolicy": {"bank": BLOCK},
    },
    "`networkPolicy.kubernetesApi: [{ipBlock: {cidr: 203.0.113.0/24}}]`, which Helm finds by itself on a cluster": {
        "networkPolicy": {"kubernetesApi": BLOCK}
    },
    "`metrics.exporters` of all three": {
        "metrics": {"exporters": {"pgbouncer": True, "postgresql": True, "redis": True}}
    },
    "`tracing.endpoint: http://collector.monitoring:4318`": {
        "tracing": {"endpoint": "http://collector.monitoring:4318"}
    },
    "`postgresql.enabled: false`, `networkPolicy.externalDatabase` with 203.0.113.0/24 for core and for settlement": {
        "postgresql": {"enabled": False},
        "externalDatabase": {"core": EXTERNAL, "settlement": EXTERNAL, "caSecret": "postgresql-ca"},
        "networkPolicy": {"externalDatabase": {"core": BLOCK, "settlement": BLOCK}},
    },
    "`redis.enabled: false`, `networkPolicy.externalRedis: [{ipBlock: {cidr: 203.0.113.0/24}}]`": {
        "redis": {"enabled": False},
        "externalRedis": {"host": "redis.example"},
        "networkPolicy": {"externalRedis": BLOCK},
    },
}


@dataclass(frozen=True, order=True)
class Flow:
    """What is allowed: who is reached, on which port, by whom."""

    target: str
    port: str
    source: str


def flows(own: Network) -> list[Flow]:
    """Everything that is allowed and that one of the release's pods has to do with, strangers included."""
    return [
        Flow(target.name, text, source.name)
        for source in own.parties
        for target in own.parties
        if source is not target and (_concerns(own, source) or _concerns(own, target))
        for text in _texts(own.ports(source, target), target)
    ]


def _concerns(own: Network, party: Party) -> bool:
    return party.is_ours or bool(own.binds(party, "Ingress"))


def _texts(ports: list[Port], target: Party) -> Iterator[str]:
    if UNNAMED_PORT in ports:
        yield "every port"
        return
    for protocol, number in ports:
        name = next((name for name, port in target.ports.items() if port == (protocol, number)), "")
        yield f"{number}/{protocol}" + (f" ({name})" if name and name != str(number) else "")


def security_tables() -> str:
    """The Markdown between the markers."""
    parts: list[str] = []
    for mode, title in MODES.items():
        own = network(render({"pgbouncer": {"mode": mode}}))
        parts += [title, "", *_table(flows(own)), "", _strangers(own), ""]
    parts += ["What values add to the first table:", ""]
    return "\n".join([*parts, *_additions()])


def _table(found: Iterable[Flow]) -> Iterator[str]:
    yield from HEAD
    yield from _rows(found)


def _rows(found: Iterable[Flow]) -> Iterator[str]:
    """One row for all ports of a target that the same sources reach."""
    sources: dict[tuple[str, str], set[str]] = {}
    for flow in found:
        sources.setdefault((flow.target, flow.port), set()).add(flow.source)
    ports: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (target, port), names in sorted(sources.items()):
        ports.setdefault((target, tuple(sorted(names))), []).append(port)
    for (target, reached_by), numbers in ports.items():
        yield f"| {target} | {', '.join(numbers)} | {', '.join(reached_by)} |"


def _strangers(own: Network) -> str:
    names = {party.name for party in own.parties if party.is_stranger}
    met = {name for flow in flows(own) for name in (flow.source, flow.target) if name in names}
    apart = sorted(names - met)
    return f"No pod of the release reaches, or is reached by, {', '.join(apart) or 'nobody'}."


def _additions() -> Iterator[str]:
    before = set(flows(network(render())))
    yield "| values | who is reached | on | by whom |"
    yield "| --- | --- | --- | --- |"
    for told, values in EXAMPLES.items():
        added = (flow for flow in flows(network(render(values))) if flow not in before)
        for number, row in enumerate(_rows(added)):
            yield f"| {'' if number else told} {row}"
