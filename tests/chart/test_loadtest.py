"""The chart etebar-loadtest: Helm, Kubernetes and restricted Pod Security take it, and every value counts."""

from typing import Any

import pytest

from chart import kubernetes_schema
from chart.policies import POLICIES
from chart.rendered import Rendered
from chart.toggles import alternative, nested
from etebar_deploy.chart import LOADTEST, RenderError, render, render_text
from etebar_deploy.helm_binaries import helms
from etebar_deploy.network import Party, network
from etebar_deploy.values_file import read_values

TOP = read_values(LOADTEST / "values.yaml")
LEAVES = {leaf.key: leaf for value in TOP for leaf in value.leaves()}
CASES: dict[str, dict[str, Any]] = {
    "headless": {},
    "web": {"mode": "web"},
    "seeded": {"seed": True, "image": {"registry": "registry.example.com"}},
}
OF_EVERY_CHART = ("pod_security.restricted", "pod_security.own_user", "pod_security.read_only_root", "pods.resources")
OTHERS: dict[str, Any] = {
    "target.host": "http://traefik.traefik",
    "runTime": "7m",
    "withdrawAmount": "7.00",
    "run": "2",
    "jobResources": {"limits": {"memory": "999Mi"}},
}


def rendered(values: dict[str, Any]) -> Rendered:
    return Rendered(values, render(values, chart=LOADTEST, release="load"))


@pytest.mark.parametrize("case", CASES)
class TestCase:
    def test_helm_3_and_4_render_the_same_bytes(self, case: str) -> None:
        texts = {render_text(CASES[case], helm=program, chart=LOADTEST) for program in helms().values()}
        assert len(texts) == 1

    @pytest.mark.parametrize("version", kubernetes_schema.VERSIONS)
    def test_kubernetes_takes_it(self, case: str, version: str) -> None:
        objects = rendered(CASES[case]).objects
        assert [problem for one in objects for problem in kubernetes_schema.problems(one, version)] == []

    @pytest.mark.parametrize("policy", OF_EVERY_CHART)
    def test_it_holds_to(self, case: str, policy: str) -> None:
        assert list(POLICIES[policy](rendered(CASES[case]))) == []

    def test_no_pod_has_a_token_of_the_cluster(self, case: str) -> None:
        assert [pod.name for pod in rendered(CASES[case]).pods if pod.spec["automountServiceAccountToken"]] == []


class TestValues:
    @pytest.mark.parametrize("key", LEAVES)
    def test_each_changes_something(self, key: str) -> None:
        other = OTHERS[key] if key in OTHERS else alternative(LEAVES[key])
        after = nested(LEAVES[key].path, other)
        assert render_text({}, chart=LOADTEST) != render_text(after, chart=LOADTEST)

    @pytest.mark.parametrize("key", ["unknownKey", "tokens.unknownKey", "secrets.unknownKey"])
    def test_that_are_unknown_are_refused_by_name(self, key: str) -> None:
        with pytest.raises(RenderError, match="unknownKey"):
            render(nested(tuple(key.split(".")), 1), chart=LOADTEST)

    @pytest.mark.parametrize(("key", "value"), [
        ("traffic", "flood"),
        ("users", 0),
        ("runTime", "for a while"),
        ("withdrawAmount", "1"),
        ("image.tag", "latest"),
        ("mode", "both"),
        ("target.host", "core:8000"),
    ])  # fmt: skip
    def test_that_are_wrong_are_refused_by_name(self, key: str, value: Any) -> None:
        with pytest.raises(RenderError, match=key.replace(".", "/")):
            render(nested(tuple(key.split(".")), value), chart=LOADTEST)


class TestARun:
    def test_of_its_own_has_jobs_of_its_own(self) -> None:
        first, second = ({job["metadata"]["name"] for job in rendered({"run": run}).of_kind("Job")} for run in "12")
        assert first == {"load-prepare-1", "load-master-1", "load-worker-1", "load-report-1"}
        assert first & second == set()

    def test_with_a_page_has_no_report(self) -> None:
        assert {job["metadata"]["name"] for job in rendered({"mode": "web"}).of_kind("Job")} == {"load-prepare-1"}

    def test_clears_nothing_unless_it_is_told_to(self) -> None:
        def prepared(values: dict[str, Any]) -> str:
            pod = rendered(values).one("Job", "load-prepare-1")["spec"]["template"]
            return str(pod["spec"]["containers"][0]["command"])

        assert "seed_merchants" not in prepared({})
        assert "seed_merchants" in prepared({"seed": True})


class TestThePlatform:
    """Its NetworkPolicies, with the load test's pods among its own."""

    def test_lets_in_what_is_needed_and_no_more(self) -> None:
        objects = [*render({"networkPolicy": {"loadTest": True}}), *rendered({}).objects]
        own = network(objects)
        pairs = [(one, other) for one in own.parties for other in own.parties]
        found = {(one.name, other.name) for one, other in pairs if self._is_one(own, one, other)}
        books = {("loadtest-books", target) for target in ("postgresql", "redis", "settlement")}
        assert {pair for pair in found if pair[0] == "loadtest-books" and "kube-dns" not in pair[1]} == books
        web = {("loadtest", target) for target in ("core-web", "redis", "every pod of namespace traefik", "loadtest")}
        assert {pair for pair in found if pair[0] == "loadtest" and "kube-dns" not in pair[1]} <= web

    @staticmethod
    def _is_one(own: Any, one: Party, other: Party) -> bool:
        return one is not other and bool(own.ports(one, other))

    def test_that_is_not_for_load_lets_none_of_it_in(self) -> None:
        own = network([*render({}), *rendered({}).objects])
        load = [party for party in own.parties if party.name.startswith("loadtest")]
        assert load
        assert not [1 for one in load for other in own.parties if self._is_one(own, one, other)]

    def test_says_by_its_service_whether_it_may_be_loaded(self) -> None:
        for allowed in (True, False):
            services = Rendered({}, render({"networkPolicy": {"loadTest": allowed}})).of_kind("Service")
            (service,) = [one for one in services if one["metadata"]["name"] == "core"]
            assert (service["metadata"].get("annotations") == {"etebar.dev/load-test": "allowed"}) is allowed
