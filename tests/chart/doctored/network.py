"""Each policy of network.py broken: its name, a word that it must say, and how."""

from chart.doctored.helpers import Doctor, Object, container, open_to, spec

ANYBODY: Object = {"namespaceSelector": {}}
ROUTE: Object = {
    "kind": "HTTPRoute",
    "metadata": {"name": "open"},
    "spec": {"rules": [{"backendRefs": [{"name": "core", "port": 8000}]}]},
}
INGRESS_PATH: Object = {
    "path": "/internal",
    "pathType": "Prefix",
    "backend": {"service": {"name": "settlement", "port": {"number": 9000}}},
}


def ingress(own: Object) -> Object:
    return {"kind": "Ingress", "metadata": {"name": "open"}, "spec": own}


BROKEN: list[tuple[str, str, Doctor]] = [
    ("network.default_deny", "no policy denies", lambda r: r.objects.remove(r.one("NetworkPolicy", "default-deny"))),
    (
        "network.default_deny",
        "no policy denies",
        lambda r: spec(r, "NetworkPolicy", "default-deny").update(policyTypes=["Ingress"]),
    ),
    (
        "network.default_deny",
        "Job/migrate-core",
        lambda r: r.one("Job", "migrate-core")["spec"]["template"]["metadata"].update(labels={}),
    ),
    (
        "network.default_deny",
        "no stranger",
        lambda r: r.one("Pod", "test-stranger")["metadata"]["labels"].update({"app.kubernetes.io/instance": "etebar"}),
    ),
    ("network.ports_in_table", "9999 is open", lambda r: open_to(r, "redis", [{"podSelector": {}}], 9999)),
    (
        "network.ports_in_table",
        "nobody may open",
        lambda r: container(r)["ports"].append({"name": "debug", "containerPort": 5678}),
    ),
    ("network.ports_in_table", "nobody may open", lambda r: spec(r, "NetworkPolicy", "redis").pop("ingress")),
    ("network.no_strangers", "reached by any other pod", lambda r: open_to(r, "redis", [{"podSelector": {}}])),
    ("network.no_strangers", "reached by any pod of another", lambda r: open_to(r, "redis", [ANYBODY], 6379)),
    (
        "network.no_strangers",
        "reached by any address",
        lambda r: spec(r, "NetworkPolicy", "redis")["ingress"].append({}),
    ),
    (
        "network.no_strangers",
        "reaches any address",
        lambda r: spec(r, "NetworkPolicy", "core-web")["egress"].append({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}),
    ),
    (
        "network.guarded",
        "settlement: can be reached by core-beat",
        lambda r: [
            open_to(r, "settlement", [{"podSelector": {}}], 9000),
            spec(r, "NetworkPolicy", "core-beat")["egress"].append({"to": [{"podSelector": {}}]}),
        ],
    ),
    (
        "network.guarded",
        "postgresql: can be reached by audit",
        lambda r: [
            open_to(
                r, "postgresql", [{"podSelector": {"matchLabels": {"app.kubernetes.io/component": "audit"}}}], 5432
            ),
        ],
    ),
    ("network.inside_only", "from outside", lambda r: spec(r, "Service", "core").update(type="NodePort")),
    ("network.inside_only", "from outside", lambda r: spec(r, "Service", "redis").update(externalIPs=["192.0.2.1"])),
    (
        "network.public_paths",
        "/internal is public",
        lambda r: r.objects.append(ingress({"rules": [{"http": {"paths": [INGRESS_PATH]}}]})),
    ),
    (
        "network.public_paths",
        "leads to ('settlement'",
        lambda r: r.objects.append(ingress({"rules": [{"http": {"paths": [INGRESS_PATH]}}]})),
    ),
    (
        "network.public_paths",
        "/api is not public",
        lambda r: r.objects.append(ingress({"rules": [{"http": {"paths": [INGRESS_PATH]}}]})),
    ),
    ("network.public_paths", "every path is public", lambda r: r.objects.append(ingress({"defaultBackend": {}}))),
    ("network.public_paths", "every path is public", lambda r: r.objects.append(ROUTE)),
]
