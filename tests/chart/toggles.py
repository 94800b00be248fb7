"""For each key of values.yaml another value than its default, and what it needs beside it to show anywhere."""

from collections.abc import Mapping
from typing import Any

from etebar_deploy.values_file import Value

TERM = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}
# the last words of a key
BY_NAME: Mapping[str, Any] = {
    "annotations": {"example.com/team": "payments"},
    "podAnnotations": {"example.com/team": "payments"},
    "commonLabels": {"example.com/team": "payments"},
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": TERM}},
    "resources": {"limits": {"memory": "999Mi"}},
    "extraEnv": [{"name": "EXTRA", "value": "1"}],
    "extraVolumes": [{"name": "extra", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "extra", "mountPath": "/extra"}],
    "existingSecret": "another-secret",
    "host": "another.example.com",
    "caSecret": "another-ca",
    "pullSecrets": ["registry"],
    "hosts": ["api.example.com"],
    "parentRefs": [{"name": "another"}],
    "allowedHosts": ["another.example.com"],
    "csrfTrustedOrigins": ["https://another.example.com"],
    "trustedProxies": ["10.0.0.0/8"],
    "rateLimits.merchant": "7/hour",
    "rateLimits.address": "7/hour",
    "rateLimits.token": "7/hour",
    "rateLimits.tokenAccount": "7/minute",
    "rateLimits.register": "7/minute",
    "bank.url": "https://another.example.com",
    "bank.currency": "EUR",
    "postgresql.statementTimeout": "7s",
    "postgresql.parameters": {"max_connections": "300"},
    "persistence.size": "7Gi",
    "redis.maxMemory": "7mb",
    "networkPolicy.dns": [{"namespaceSelector": {"matchLabels": {"dns": "yes"}}}],
    "networkPolicy.ingressControllers": [{"namespaceSelector": {"matchLabels": {"ingress": "yes"}}}],
    "networkPolicy.monitoring": [{"namespaceSelector": {"matchLabels": {"metrics": "yes"}}}],
    "networkPolicy.externalDatabase.core": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
    "networkPolicy.externalDatabase.settlement": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
    "networkPolicy.tracing": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
    "networkPolicy.tracingPorts": [4319],
    "tracing.endpoint": "http://collector.monitoring:4318",
    "tracing.sampleRatio": 0.5,
    "networkPolicy.externalRedis": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
    "networkPolicy.bank": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
    "networkPolicy.bankPorts": [8443],
    "networkPolicy.webhooks": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
    "networkPolicy.webhookPorts": [8443],
    "webhooks.allowedNetworks": ["10.0.0.0/8"],
    "networkPolicy.kubernetesApi": [{"ipBlock": {"cidr": "203.0.113.0/24"}}],
    "networkPolicy.kubernetesApiPorts": [443],
    "operator.watchNamespaces": ["*"],
    "core.poolLowWaterMark": "1000.00",
    "core.creditLimitApprovalThreshold": "1000.00",
    "profile": "production",
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra"}}],
}
BANK = {"settlement": {"bank": {"url": "https://bank.example.com", "existingSecret": "bank"}}}
DATABASE = {
    "postgresql": {"enabled": False},
    "externalDatabase": {"core": {"host": "db"}, "settlement": {"host": "db"}, "caSecret": "ca"},
}
REDIS = {"redis": {"enabled": False}, "externalRedis": {"host": "redis"}}
TRACING = {"tracing": {"endpoint": "http://collector.monitoring:4318"}}
EXPORTER = {"metrics": {"exporters": {"redis": True}}}
SCALED = {"autoscaling": {"enabled": True}}
# the first words of a key; the longest that fits counts
CONTEXTS: Mapping[str, Mapping[str, Any]] = {
    "profile": BANK | DATABASE,
    "public": {"ingress": {"enabled": True}},
    "ingress": {"ingress": {"enabled": True}, "public": {"hosts": ["api.example.com"]}},
    "ingress.enabled": {},
    "httpRoute": {"httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]}},
    "httpRoute.enabled": {"httpRoute": {"parentRefs": [{"name": "public"}]}},
    "core.web.autoscaling": {"core": {"web": SCALED}},
    "core.web.autoscaling.enabled": {},
    "settlement.autoscaling": {"settlement": SCALED},
    "settlement.autoscaling.enabled": {},
    "settlement.bank": BANK,
    "settlement.bank.url": {"settlement": {"bank": {"existingSecret": "bank"}}},
    "pgbouncer": {"pgbouncer": {"mode": "deployment"}},
    "pgbouncer.mode": {},
    "postgresql.enabled": {"externalDatabase": DATABASE["externalDatabase"]},
    "externalDatabase": DATABASE,
    "redis.enabled": {"externalRedis": REDIS["externalRedis"]},
    "externalRedis": REDIS,
    "externalRedis.tls.caSecret": {**REDIS, "externalRedis": {"host": "redis", "tls": {"enabled": True}}},
    "networkPolicy.bank": BANK,
    "networkPolicy.bankPorts": {**BANK, "networkPolicy": {"bank": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}},
    "networkPolicy.externalDatabase": DATABASE,
    "networkPolicy.externalRedis": REDIS,
    "networkPolicy.tracing": TRACING,
    "networkPolicy.tracingPorts": TRACING,
    "tracing.sampleRatio": TRACING,
    "metrics.exporters.resources": EXPORTER,
    "image.tags.exporters": EXPORTER,
    "networkPolicy.kubernetesApiPorts": {"networkPolicy": {"kubernetesApi": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}},
}


def alternative(value: Value) -> Any:
    """Another value for a key; AssertionError, naming it, when none can be thought of."""
    extra, default = value.extra, value.default
    named = next((BY_NAME[name] for name in _tails(value.path) if name in BY_NAME), None)
    if named is not None:
        return named
    if "enum" in extra:
        return next(choice for choice in extra["enum"] if choice != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, int | float):
        return default - 1 if default == extra.get("maximum") else default + 1
    assert isinstance(default, str), f"{value.key}: name another value in toggles.py"
    return f"{default}x"


def context(key: str) -> Mapping[str, Any]:
    """The values beside it."""
    fitting = [prefix for prefix in CONTEXTS if key == prefix or key.startswith(f"{prefix}.")]
    return CONTEXTS[max(fitting, key=len)] if fitting else {}


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """{a: {b: value}} of (a, b)."""
    for key in reversed(path):
        value = {key: value}
    return dict(value)


def _tails(path: tuple[str, ...]) -> list[str]:
    return [".".join(path[start:]) for start in range(len(path))]
