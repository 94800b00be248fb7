"""The chart etebar-observability: Helm, Kubernetes and restricted Pod Security take it, and every value counts."""

import json
from typing import Any

import pytest
import yaml

from chart import kubernetes_schema
from chart.policies import POLICIES
from chart.rendered import Rendered, merged
from chart.toggles import alternative, nested
from etebar_deploy import images
from etebar_deploy.chart import OBSERVABILITY, RenderError, render, render_text
from etebar_deploy.helm_binaries import helms
from etebar_deploy.network import network
from etebar_deploy.values_file import read_values
from etebar_quickstart.paths import REPOSITORY

TOP = read_values(OBSERVABILITY / "values.yaml")
LEAVES = {leaf.key: leaf for value in TOP for leaf in value.leaves()}
ALONE: dict[str, Any] = {"standalone": True, "grafana": {"existingSecret": "grafana"}}
CASES: dict[str, dict[str, Any]] = {
    "operator": {},
    "service-monitor": {"operator": {"monitor": "ServiceMonitor", "labels": {"release": "stack"}}},
    "standalone": ALONE | {"operator": {"enabled": False}},
    "kind": yaml.safe_load((REPOSITORY / "k8s" / "kind" / "observability-values.yaml").read_text()),
    "only-prometheus": {"standalone": True, "grafana": {"enabled": False}, "collector": {"enabled": False}},
}
# of the Prometheus operator
NOT_OF_KUBERNETES = {"PodMonitor", "ServiceMonitor", "PrometheusRule"}
OF_EVERY_CHART = ("pod_security.restricted", "pod_security.read_only_root", "pods.resources", "pods.probes")
BLOCK = [{"ipBlock": {"cidr": "203.0.113.0/24"}}]
# another value, where toggles.py has none that fits
OTHERS: dict[str, Any] = {
    "target.namespaces": ["another"],
    "scrapeInterval": "7s",
    "operator.labels": {"release": "stack"},
    "operator.dashboardLabels": {"another": "1"},
    "operator.dashboardAnnotations": {"another": "1"},
    "rules.runbookBase": "https://runbooks.example.com/",
    "prometheus.retention": "7d",
    "prometheus.evaluationInterval": "7s",
    "prometheus.alertmanagers": ["alertmanager.monitoring:9093"],
    "prometheus.volumeSize": "7Gi",
    "prometheus.image": "registry.example.com/prometheus:1",
    "grafana.image": "registry.example.com/grafana:1",
    "collector.image": "registry.example.com/collector:1",
    "collector.exporters": {"otlphttp": {"endpoint": "http://tempo:4318"}},
    **{f"networkPolicy.{name}": BLOCK for name in ("kubernetesApi", "clients", "alertmanagers", "traceBackends")},
}
CONTEXTS: dict[str, dict[str, Any]] = {
    "networkPolicy.kubernetesApiPorts": {"networkPolicy": {"kubernetesApi": BLOCK}},
}


def rendered(values: dict[str, Any]) -> Rendered:
    return Rendered(values, render(values, chart=OBSERVABILITY, namespace="monitoring"))


@pytest.mark.parametrize("case", CASES)
class TestCase:
    def test_helm_3_and_4_render_the_same_bytes(self, case: str) -> None:
        values = merged(CASES[case], {"grafana": {"existingSecret": "grafana"}})
        texts = {render_text(values, helm=program, chart=OBSERVABILITY) for program in helms().values()}
        assert len(texts) == 1

    @pytest.mark.parametrize("version", kubernetes_schema.VERSIONS)
    def test_kubernetes_takes_it(self, case: str, version: str) -> None:
        known = [one for one in rendered(CASES[case]).objects if one["kind"] not in NOT_OF_KUBERNETES]
        assert [problem for one in known for problem in kubernetes_schema.problems(one, version)] == []

    @pytest.mark.parametrize("policy", OF_EVERY_CHART)
    def test_it_holds_to(self, case: str, policy: str) -> None:
        assert list(POLICIES[policy](rendered(CASES[case]))) == []

    def test_every_config_map_fits(self, case: str) -> None:
        sizes = {
            one["metadata"]["name"]: len(json.dumps(one["data"])) for one in rendered(CASES[case]).of_kind("ConfigMap")
        }
        assert {name: size for name, size in sizes.items() if size > 900_000} == {}


class TestValues:
    @pytest.mark.parametrize("key", LEAVES)
    def test_each_changes_something(self, key: str) -> None:
        before = merged(ALONE, CONTEXTS.get(key, {})) if key != "standalone" else {}
        other = OTHERS[key] if key in OTHERS else alternative(LEAVES[key])
        after = merged(before, nested(LEAVES[key].path, other))
        assert render_text(before, chart=OBSERVABILITY) != render_text(after, chart=OBSERVABILITY)

    def test_the_same_ones_change_nothing(self) -> None:
        other_helm = min(helms().items())[1]
        assert render_text(ALONE, chart=OBSERVABILITY) == render_text(ALONE, chart=OBSERVABILITY, helm=other_helm)

    @pytest.mark.parametrize("key", ["unknownKey", "prometheus.unknownKey", "networkPolicy.unknownKey"])
    def test_that_are_unknown_are_refused_by_name(self, key: str) -> None:
        with pytest.raises(RenderError, match="unknownKey"):
            render(nested(tuple(key.split(".")), 1), chart=OBSERVABILITY)

    @pytest.mark.parametrize(("key", "value"), [
        ("target.namespaces", []),
        ("scrapeInterval", "often"),
        ("prometheus.image", "prometheus:latest"),
        ("prometheus.image", "prometheus"),
        ("rules.runbookBase", "runbooks"),
        ("prometheus.alertmanagers", ["alertmanager"]),
    ])  # fmt: skip
    def test_that_are_wrong_are_refused_by_name(self, key: str, value: Any) -> None:
        with pytest.raises(RenderError, match=key.replace(".", "/")):
            render(nested(tuple(key.split(".")), value), chart=OBSERVABILITY)


# as Prometheus itself spells what the operator's objects say
_SPELLED = {"sourceLabels": "source_labels", "targetLabel": "target_label"}


class TestScraping:
    def test_calls_targets_the_same_whoever_does_it(self) -> None:
        (monitor,) = rendered(CASES["operator"]).of_kind("PodMonitor")
        (config,) = [
            yaml.safe_load(one["data"]["prometheus.yml"])
            for one in rendered(CASES["standalone"]).of_kind("ConfigMap")
            if "prometheus.yml" in one["data"]
        ]
        alone = config["scrape_configs"][0]["relabel_configs"]
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            spelled = [{_SPELLED.get(key, key): value for key, value in one.items()} for one in endpoint["relabelings"]]
            assert spelled == alone

    def test_asks_for_every_port_that_the_platform_names_for_it(self) -> None:
        exporters = {"exporters": {"pgbouncer": True, "postgresql": True, "redis": True}}
        platform = render({"metrics": exporters})
        named = {port["name"] for one in platform if one["kind"] == "Service" for port in one["spec"]["ports"]}
        (monitor,) = rendered(CASES["operator"]).of_kind("PodMonitor")
        asked = {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]}
        assert asked == {name for name in named if name.startswith("metrics")}

    def test_is_let_in_by_the_platform(self) -> None:
        own = network(render({}))
        (monitoring,) = [party for party in own.parties if party.name == "every pod of namespace monitoring"]
        ours = [party for party in own.parties if party.is_ours]
        scraped = {party.name for party in ours if ("TCP", 9464) in own.ports(monitoring, party)}
        core = {"core-web", "core-worker", "core-beat", "core-webhooks", "core-internal"}
        assert scraped == core | {"settlement", "operator"}


class TestNetworkPolicies:
    def test_let_nobody_in_or_out_but_for_what_is_needed(self) -> None:
        own = network(
            rendered(merged(ALONE, {"networkPolicy": {"kubernetesApi": BLOCK}})).objects, namespace="monitoring"
        )
        reached = {
            (source.name, target.name)
            for source in own.parties
            for target in own.parties
            if source is not target and own.ports(source, target) and (source.is_ours or target.is_ours)
        }
        assert ("grafana", "prometheus") in reached
        assert ("prometheus", "grafana") not in reached
        assert not [pair for pair in reached if "stranger" in pair[0]]


def test_rules_name_the_installations_own_runbooks() -> None:
    text = render_text({"rules": {"runbookBase": "https://runbooks.example.com/"}}, chart=OBSERVABILITY)
    assert "https://runbooks.example.com/" in text
    assert "github.com/etebar/etebar/blob/main/docs/runbooks" not in text


def test_the_image_that_is_built_here_is_the_one_of_kind() -> None:
    assert images.of_chart(OBSERVABILITY.name) == ["prometheus"]
    assert CASES["kind"]["prometheus"]["pullPolicy"] == "Never"
