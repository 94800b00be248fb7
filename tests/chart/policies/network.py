"""Who can be reached: policies, Services, public routes."""

from collections.abc import Iterator, Mapping
from typing import Any

from chart.rendered import RELEASE, Rendered
from etebar_deploy.network import UNNAMED_PORT, Party
from etebar_deploy.selectors import selects

BOTH = {"Ingress", "Egress"}
# where receivers of webhooks are; that no pod is among them holds the stranger beside it
ANYWHERE = "any address outside the cluster"
MONITORING = "every pod of namespace monitoring"
PUBLIC = {"/api", "/static"}


def default_deny(rendered: Rendered) -> Iterator[str]:
    """A policy without exceptions binds every pod both ways; a test's stranger is bound by none and is not ours."""
    for pod in rendered.pods:
        bound = [one["spec"] for one in rendered.network.policies if selects(one["spec"]["podSelector"], pod.labels)]
        if pod.is_stranger:
            if bound or pod.labels.get("app.kubernetes.io/instance") == RELEASE:
                yield f"{pod.name}: is no stranger"
        elif not any(_denies(spec) for spec in bound):
            yield f"{pod.name}: no policy denies it everything both ways"


def ports_in_table(rendered: Rendered) -> Iterator[str]:
    """Every container port is opened to somebody, and nothing is opened that no container has."""
    for target in rendered.network.parties:
        if not target.is_ours:
            continue
        opened = {port for source in rendered.network.parties for port in _between(rendered, source, target)}
        own = set(target.ports.values())
        yield from (f"{target.name}: nobody may open its port {port}" for _, port in sorted(own - opened))
        yield from (f"{target.name}: {port} is open and nothing of it" for _, port in sorted(opened - own))


def no_strangers(rendered: Rendered) -> Iterator[str]:
    """Whoever is not named reaches no pod of ours, and is reached by none."""
    ours = [party for party in rendered.network.parties if party.is_ours]
    for stranger in rendered.network.parties:
        if not stranger.is_stranger:
            continue
        for own in ours:
            if rendered.network.ports(stranger, own):
                yield f"{own.name}: can be reached by {stranger.name}"
            is_receiver = own.name == "core-webhooks" and stranger.name == ANYWHERE
            if rendered.network.ports(own, stranger) and not is_receiver:
                yield f"{own.name}: reaches {stranger.name}"


def guarded(rendered: Rendered) -> Iterator[str]:
    """Settlement is core's alone; the databases and PgBouncer are for those who need them."""
    core = {"core-web", "core-worker"}
    sidecar = rendered.values["pgbouncer"]["mode"] == "sidecar"
    switches = (("loadtest", "loadTest"), ("loadtest-books", "loadTest"), ("audit", "audit"))
    guests = {guest for guest, switch in switches if _policy(rendered)[switch]}
    guests |= {"test-trial"} & {pod["metadata"]["name"] for pod in rendered.of_kind("Pod")}
    clients = {*core, "core-beat", *(["core-internal"] if rendered.values["operator"]["enabled"] else [])}
    clients |= {"core-webhooks"} if rendered.values["core"]["webhooks"]["enabled"] else set()
    allowed = {
        "settlement": {*core, MONITORING, *(guests & {"loadtest-books"})},
        "core-internal": {"operator", MONITORING},
        "operator": {MONITORING},
        "pgbouncer": clients,
        "redis": (clients - {"core-internal", "core-webhooks"}) | ({"loadtest", "loadtest-books"} & guests),
        "postgresql": {"settlement", "migrate-core", "migrate-settlement", *(clients if sidecar else {"pgbouncer"})}
        | ({"audit", "loadtest-books", "test-trial"} & guests),
    }
    exporters = rendered.values["metrics"]["exporters"]
    for name in ("pgbouncer", "redis", "postgresql"):
        allowed[name] |= {MONITORING} if exporters[name] else set()
    for target in rendered.network.parties:
        if target.is_ours and target.name in allowed:
            sources = {_component(source) for source in rendered.network.parties if _between(rendered, source, target)}
            yield from (f"{target.name}: can be reached by {name}" for name in sorted(sources - allowed[target.name]))


def inside_only(rendered: Rendered) -> Iterator[str]:
    """No Service opens a port on nodes or a load balancer."""
    for service in rendered.of_kind("Service"):
        spec = service["spec"]
        if spec.get("type", "ClusterIP") != "ClusterIP" or spec.get("externalIPs"):
            yield f"Service/{service['metadata']['name']}: can be reached from outside"


def public_paths(rendered: Rendered) -> Iterator[str]:
    """Ingress and HTTPRoute carry /api and /static, and /admin when it is public, all to core's API."""
    allowed = PUBLIC | ({"/admin"} if rendered.values["public"]["admin"] else set())
    for path, kind, backend in [*_ingress_paths(rendered), *_route_paths(rendered)]:
        if path not in allowed or kind not in {"Prefix", "PathPrefix"}:
            yield f"{path or 'every path'} is public"
        if backend not in {("core", "http"), ("core", 8000)}:
            yield f"{path}: leads to {backend}"
    routes = [{path for path, _, _ in paths(rendered)} for paths in (_ingress_paths, _route_paths)]
    yield from (f"{path} is not public" for found in routes if found for path in sorted(allowed - found))


def _ingress_paths(rendered: Rendered) -> Iterator[tuple[str, str, Any]]:
    for ingress in rendered.of_kind("Ingress"):
        if "defaultBackend" in ingress["spec"]:
            yield "", "", ""
        for rule in ingress["spec"].get("rules") or []:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                yield path["path"], path["pathType"], (service["name"], next(iter(service["port"].values())))


def _route_paths(rendered: Rendered) -> Iterator[tuple[str, str, Any]]:
    for route in rendered.of_kind("HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                for match in rule.get("matches") or [{}]:
                    path = match.get("path", {})
                    yield path.get("value", ""), path.get("type", ""), (backend["name"], backend["port"])


def _between(rendered: Rendered, source: Party, target: Party) -> list[tuple[str, int]]:
    if source is target:
        return []
    return [port for port in rendered.network.ports(source, target) if port != UNNAMED_PORT]


def _component(party: Party) -> str:
    return party.labels.get("app.kubernetes.io/component", party.name)


def _policy(rendered: Rendered) -> Mapping[str, Any]:
    return dict(rendered.values["networkPolicy"])


def _denies(spec: Mapping[str, Any]) -> bool:
    return set(spec.get("policyTypes") or []) == BOTH and not spec.get("ingress") and not spec.get("egress")


POLICIES = (default_deny, ports_in_table, no_strangers, guarded, inside_only, public_paths)
