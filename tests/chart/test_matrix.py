"""Every case of the matrix: the same from Helm 3 and 4, taken by every Kubernetes that we name, and by our policies."""

import pytest

from chart import kubernetes_schema
from chart.policies import POLICIES
from chart.rendered import CASES, NAMED_SECRETS, case_values, merged, rendered_case, rendered_with
from etebar_deploy.chart import render_text
from etebar_deploy.helm_binaries import helms

# of other projects; tests/chart/test_examples.py has schemas for them
NOT_OF_KUBERNETES = {"HTTPRoute"}


def test_the_matrix_is_the_one_that_was_agreed() -> None:
    assert CASES == [
        "default",
        "deployment-pgbouncer",
        "external-database",
        "external-database-deployment-pgbouncer",
        "gateway",
        "hpa",
        "minimal",
        "production",
    ]


@pytest.mark.parametrize("case", CASES)
class TestCase:
    def test_helm_3_and_4_render_the_same_bytes(self, case: str) -> None:
        values = merged(NAMED_SECRETS, case_values(case))
        texts = {render_text(values, helm=program) for program in helms().values()}
        assert len(texts) == 1

    @pytest.mark.parametrize("version", kubernetes_schema.VERSIONS)
    def test_kubernetes_takes_it(self, case: str, version: str) -> None:
        objects = rendered_with(case_values(case), kube_version=f"{version}.0").objects
        known = [one for one in objects if one["kind"] not in NOT_OF_KUBERNETES]
        assert [problem for one in known for problem in kubernetes_schema.problems(one, version)] == []

    @pytest.mark.parametrize("policy", POLICIES)
    def test_it_holds_to(self, case: str, policy: str) -> None:
        assert list(POLICIES[policy](rendered_case(case))) == []


def test_an_older_kubernetes_is_refused() -> None:
    with pytest.raises(Exception, match=r"kubeVersion: >=1\.30\.0-0"):
        rendered_with({}, kube_version="1.29.9")


class TestKubernetesSchema:
    """It can fail."""

    def test_a_field_that_does_not_exist_is_told(self) -> None:
        service = rendered_with({}).one("Service", "core")
        service["spec"]["portz"] = []
        assert "portz" in kubernetes_schema.problems(service, "1.30")[0]

    def test_a_value_of_another_type_is_told(self) -> None:
        service = rendered_with({}).one("Service", "core")
        service["spec"]["ports"][0]["port"] = "eighty"
        assert "$.spec.ports[0].port" in kubernetes_schema.problems(service, "1.34")[0]

    def test_each_version_has_a_schema_of_its_own(self) -> None:
        pod = rendered_with({}).one("Pod", "test-stranger")
        pod["spec"]["hostnameOverride"] = "new-in-1.34"
        assert kubernetes_schema.problems(pod, "1.33")
        assert kubernetes_schema.problems(pod, "1.34") == []
