"""Every value does something, and nothing else is taken."""

import re
from typing import Any

import pytest

from chart.rendered import NAMED_SECRETS, merged
from chart.toggles import alternative, context, nested
from etebar_deploy.chart import CHART, RenderError, render, render_text
from etebar_deploy.helm_binaries import helms
from etebar_deploy.values_file import Value, read_values

TOP = read_values(CHART / "values.yaml")
LEAVES = {leaf.key: leaf for value in TOP for leaf in value.leaves()}
HELMS = sorted(helms())


@pytest.mark.parametrize("key", LEAVES)
def test_it_changes_something(key: str) -> None:
    before = merged(NAMED_SECRETS, context(key))
    after = merged(before, nested(LEAVES[key].path, alternative(LEAVES[key])))
    assert render_text(before) != render_text(after)


def test_the_same_values_change_nothing() -> None:
    """Without this, the test above could not fail."""
    other_helm = helms()[HELMS[0]]
    assert render_text(NAMED_SECRETS) == render_text(NAMED_SECRETS, helm=other_helm)


def test_a_value_that_nothing_uses_would_be_found() -> None:
    """The prefix of a key whose context is missing shows nothing."""
    before = merged(NAMED_SECRETS, {})
    assert render_text(before) == render_text(merged(before, {"ingress": {"className": "traefik"}}))


@pytest.mark.parametrize("helm", HELMS)
class TestRefusals:
    """Helm names the key."""

    def test_every_value_of_another_type(self, helm: int) -> None:
        values: dict[str, Any] = {}
        for leaf in LEAVES.values():
            values = merged(values, nested(leaf.path, _of_another_type(leaf)))
        assert LEAVES.keys() - _refused(values, helm).keys() == set()

    def test_unknown_keys_everywhere(self, helm: int) -> None:
        mappings = [(), *(value.path for value in _mappings(TOP))]
        values: dict[str, Any] = {}
        for path in mappings:
            values = merged(values, nested((*path, "unknownKey"), 1))
        refused = _refused(values, helm)
        assert sorted(refused) == sorted(".".join(path) for path in mappings)
        assert {"unknownKey" in reason for reason in refused.values()} == {True}

    def test_every_value_that_is_taken_away(self, helm: int) -> None:
        """By null; it is also what `--reuse-values` makes of a key that is newer than the release."""
        values: dict[str, Any] = {}
        for leaf in LEAVES.values():
            values = merged(values, nested(leaf.path, None))
        refused = _refused(values, helm)
        told = {leaf.key: refused[".".join(leaf.path[:-1])] for leaf in LEAVES.values()}
        assert [key for key, reason in told.items() if key.rpartition(".")[2] not in re.findall(r"\w+", reason)] == []

    @pytest.mark.parametrize(("key", "value"), [
        ("profile", "staging"),
        ("image.tag", "latest"),
        ("image.tags.core", "latest"),
        ("image.tag", "no tag"),
        ("image.pullPolicy", "Sometimes"),
        ("core.logLevel", "LOUD"),
        ("core.trustedProxies.0", "everybody"),
        ("core.csrfTrustedOrigins.0", "example.com"),
        ("core.settleDeadlineSeconds", 0),
        ("core.settleDeadlineSeconds", 31),
        ("core.rateLimits.token", "10 per minute"),
        ("core.extraEnv.0", {"value": "without a name"}),
        ("core.web.replicas", 0),
        ("core.web.replicas", 1.5),
        ("core.web.autoscaling.targetCPUUtilizationPercentage", 101),
        ("settlement.bank.url", "bank.example.com"),
        ("settlement.bank.currency", "euro"),
        ("settlement.databaseConnections", 101),
        ("pgbouncer.mode", "none"),
        ("postgresql.statementTimeout", "soon"),
        ("postgresql.parameters.max_connections", 300),
        ("postgresql.persistence.size", "2 GB"),
        ("externalDatabase.core.port", 65536),
        ("externalDatabase.sslMode", "maybe"),
        ("redis.maxMemory", "lots"),
        ("externalRedis.database", -1),
        ("migrations.backoffLimit", -1),
        ("networkPolicy.dns", []),
        ("networkPolicy.bankPorts.0", 0),
        ("metrics.port", 80),
        ("settlement.shutdownSeconds", 301),
        ("podDisruptionBudget.maxUnavailable", 0),
        ("topologySpread.whenUnsatisfiable", "Never"),
        ("httpRoute.parentRefs.0", {"name": "public", "group": "example.com"}),
        ("extraObjects.0", 1),
    ])  # fmt: skip
    def test_a_value_out_of_bounds(self, helm: int, key: str, value: Any) -> None:
        assert key in _refused(_nested_with_lists(key, value), helm)


@pytest.mark.parametrize(("key", "values"), [
    ("externalDatabase.core.host", {"postgresql": {"enabled": False}}),
    ("externalDatabase.settlement.host", {"postgresql": {"enabled": False}}),
    ("externalDatabase.caSecret", {
        "postgresql": {"enabled": False},
        "externalDatabase": {"core": {"host": "db"}, "settlement": {"host": "db"}},
    }),
    ("externalRedis.host", {"redis": {"enabled": False}}),
    ("settlement.bank.url", {"profile": "production"}),
    ("settlement.bank.url", {
        "profile": "production",
        "settlement": {"bank": {"url": "http://bank", "existingSecret": "bank"}},
    }),
    ("postgresql.enabled", {"profile": "production"}),
    ("networkPolicy.loadTest", {"profile": "production", "networkPolicy": {"loadTest": True}}),
    ("core.web.shutdownSeconds", {"core": {"settleDeadlineSeconds": 30, "web": {"shutdownSeconds": 31}}}),
    ("settlement.shutdownSeconds", {"settlement": {"bank": {"timeoutSeconds": 21}}}),
    ("metrics.port", {"metrics": {"port": 8000}}),
    ("externalDatabase.sslMode", {"profile": "production", "externalDatabase": {"sslMode": "prefer"}}),
    ("settlement.bank.existingSecret", {"settlement": {"bank": {"url": "https://bank.example.com"}}}),
    ("core.trustedProxies", {"core": {"trustedProxies": ["10.0.0.0/8", "10.0.0.5/8"]}}),
    ("core.webhooks.allowedNetworks", {"core": {"webhooks": {"allowedNetworks": ["192.168.1.0/16"]}}}),
    ("httpRoute.parentRefs", {"httpRoute": {"enabled": True}}),
    ("public.hosts", {"ingress": {"enabled": True, "tlsSecret": "certificate"}}),
    ("core.web.autoscaling.minReplicas", {"core": {"web": {"autoscaling": {"enabled": True, "minReplicas": 7}}}}),
    ("settlement.autoscaling.minReplicas", {"settlement": {"autoscaling": {"enabled": True, "minReplicas": 7}}}),
])  # fmt: skip
def test_values_that_do_not_go_together(key: str, values: dict[str, Any]) -> None:
    with pytest.raises(RenderError, match=rf"These values do not go together:.* {key}: "):
        render(values)


def _refused(values: dict[str, Any], helm: int) -> dict[str, str]:
    """The keys that Helm names with its reasons. Helm 4: `- at '/core/web': ...`, Helm 3: `- core.web: ...`."""
    with pytest.raises(RenderError) as caught:
        render(values, helm=helms()[helm])
    _, *told = re.split(r" - (?:at ')?([\w./()-]*)'?: ", str(caught.value))
    keys = [key.lstrip("/").replace("/", ".").replace("(root)", "") for key in told[::2]]
    reasons: dict[str, str] = {}
    for key, reason in zip(keys, told[1::2], strict=True):
        reasons[key] = f"{reasons.get(key, '')} {reason}"
    return reasons


def _of_another_type(leaf: Value) -> Any:
    """A text is a wrong number, list or mapping; a list is a wrong text."""
    return ["wrong"] if isinstance(leaf.default, str) else "wrong"


def _mappings(values: tuple[Value, ...]) -> list[Value]:
    return [one for value in values if value.children for one in (value, *_mappings(value.children))]


def _nested_with_lists(key: str, value: Any) -> dict[str, Any]:
    *path, last = key.split(".")
    return nested(tuple(path), [value]) if last == "0" else nested((*path, last), value)


def test_networks_may_be_addresses_and_begin_anywhere_within_their_size() -> None:
    networks = ["10.0.0.0/8", "10.1.2.3", "10.1.2.3/32", "0.0.0.0/0", "192.168.1.128/25", "fd00::1/64"]
    assert render({"core": {"trustedProxies": networks}})


def test_large_numbers_stay_numbers() -> None:
    """Helm reads a million from a file of values as a float."""
    rendered = render({
        "core": {"unknownOutcomeBudgetSeconds": 2_592_000},
        "pgbouncer": {"maxClientConnections": 1_000_000},
    })  # fmt: skip
    maps = {one["metadata"]["name"]: one["data"] for one in rendered if one["kind"] == "ConfigMap"}
    assert maps["core"]["UNKNOWN_OUTCOME_BUDGET_SECONDS"] == "2592000"
    assert "max_client_conn = 1000000\n" in maps["pgbouncer"]["pgbouncer.ini"]


def test_a_host_may_be_a_wildcard() -> None:
    rendered = render({"ingress": {"enabled": True}, "public": {"hosts": ["*.example.com"]}})
    (ingress,) = [one for one in rendered if one["kind"] == "Ingress"]
    (core,) = [one for one in rendered if one["kind"] == "ConfigMap" and one["metadata"]["name"] == "core"]
    assert ingress["spec"]["rules"][0]["host"] == "*.example.com"
    # Django's way to write it
    assert core["data"]["ALLOWED_HOSTS"].split(",")[0] == ".example.com"


def test_labels_that_the_chart_gives_are_refused() -> None:
    with pytest.raises(RenderError, match=r"app\.kubernetes\.io/component"):
        render({"commonLabels": {"app.kubernetes.io/component": "mine"}})


def test_a_long_tag_is_a_label_still() -> None:
    rendered = render({"image": {"tag": "1" * 80 + "-x"}})
    assert {
        len(one["metadata"]["labels"]["app.kubernetes.io/version"]) for one in rendered if one["kind"] == "Service"
    } == {63}
