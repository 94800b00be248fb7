"""What makes pods roll and Jobs run, and what does not."""

import subprocess
from typing import Any

import pytest

from chart.rendered import CASES, NAMED_SECRETS, OUR_SECRETS, Rendered, case_values, merged, rendered_with
from chart.toggles import nested
from etebar_deploy.chart import CHART, forget_rendered
from etebar_deploy.helm_binaries import helms

WORKLOADS = ("Deployment", "StatefulSet")
CORE = {"core-web", "core-worker", "core-beat", "core-webhooks", "core-internal"}


def annotations(rendered: Rendered) -> dict[str, dict[str, str]]:
    """Of the pods of each workload."""
    return {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"].get("annotations", {})
        for one in rendered.of_kind(*WORKLOADS)
    }


def rolled(before: Rendered, after: Rendered) -> set[str]:
    """The workloads whose pods' annotations differ."""
    old, new = annotations(before), annotations(after)
    return {name for name in old if old[name] != new[name]}


class TestConfiguration:
    @pytest.mark.parametrize(("changed", "workloads"), [
        ({"core": {"rateLimits": {"token": "7/minute"}}}, CORE),
        ({"settlement": {"logLevel": "DEBUG"}}, {"settlement"}),
        ({"operator": {"resyncSeconds": 60}}, set()),
        ({"pgbouncer": {"poolSize": 7}}, CORE),
        ({"core": {"web": {"replicas": 3}}}, set()),
        ({"ingress": {"enabled": True}}, set()),
        ({"networkPolicy": {"audit": True}}, set()),
    ])  # fmt: skip
    def test_a_changed_setting_rolls_the_pods_that_read_it(self, changed: dict[str, Any], workloads: set[str]) -> None:
        before = rendered_with(NAMED_SECRETS)
        assert rolled(before, rendered_with(merged(NAMED_SECRETS, changed))) == workloads

    def test_pgbouncer_by_itself_rolls_alone(self) -> None:
        mode = merged(NAMED_SECRETS, {"pgbouncer": {"mode": "deployment"}})
        after = rendered_with(merged(mode, {"pgbouncer": {"poolSize": 7}}))
        assert rolled(rendered_with(mode), after) == {"pgbouncer"}


class TestSecrets:
    """A Secret that the chart makes is random when there is no cluster to read it from, and so changes here."""

    @pytest.mark.parametrize("mode", ["sidecar", "deployment"])
    @pytest.mark.parametrize("word", OUR_SECRETS)
    def test_a_changed_secret_rolls_the_pods_that_mount_it(self, word: str, mode: str) -> None:
        ours = merged(NAMED_SECRETS, nested(("secrets", word, "existingSecret"), ""))
        values = merged(ours, {"pgbouncer": {"mode": mode}})
        before = rendered_with(values)
        forget_rendered()
        after = rendered_with(values)
        assert rolled(before, after) == mounting(before, OUR_SECRETS[word])

    def test_without_a_change_nothing_rolls(self) -> None:
        before = rendered_with(NAMED_SECRETS)
        forget_rendered()
        assert rolled(before, rendered_with(NAMED_SECRETS)) == set()


def mounting(rendered: Rendered, secret: str) -> set[str]:
    """The workloads whose pods have files of a Secret."""
    return {
        pod.owner["metadata"]["name"]
        for pod in rendered.pods
        if pod.owner["kind"] in WORKLOADS and f"'{secret}'" in str(pod.spec["volumes"])
    }


class TestJobs:
    """A Job cannot be changed: what its pods are is in its name, and nothing else is."""

    @pytest.mark.parametrize("component", ["migrate-core", "migrate-settlement"])
    @pytest.mark.parametrize("changed", [
        {"image": {"tag": "2.0.0"}},
        {"image": {"registry": "registry.example.com"}},
        {"migrations": {"resources": {"limits": {"memory": "1Gi"}}}},
        {"migrations": {"podAnnotations": {"example.com/team": "payments"}}},
        {"priorityClassName": "payments"},
    ])  # fmt: skip
    def test_another_template_makes_another_job(self, component: str, changed: dict[str, Any]) -> None:
        assert job_name(NAMED_SECRETS, component) != job_name(merged(NAMED_SECRETS, changed), component)

    @pytest.mark.parametrize("component", ["migrate-core", "migrate-settlement"])
    @pytest.mark.parametrize("changed", [
        {},
        {"core": {"web": {"replicas": 3}}, "settlement": {"replicas": 3}},
        {"core": {"logLevel": "DEBUG"}},
        {"image": {"tags": {"postgresql": "2.0.0", "redis": "2.0.0", "pgbouncer": "2.0.0"}}},
        {"migrations": {"backoffLimit": 7, "activeDeadlineSeconds": 60}},
        {"networkPolicy": {"audit": True}},
    ])  # fmt: skip
    def test_what_is_not_in_the_template_makes_none(self, component: str, changed: dict[str, Any]) -> None:
        assert job_name(NAMED_SECRETS, component) == job_name(merged(NAMED_SECRETS, changed), component)

    def test_random_secrets_make_none(self) -> None:
        before = job_name({}, "migrate-core")
        forget_rendered()
        assert job_name({}, "migrate-core") == before

    def test_one_name_stands_for_one_template(self) -> None:
        jobs = [job for case in CASES for job in rendered_with(case_values(case)).of_kind("Job")]
        templates: dict[str, set[str]] = {}
        for job in jobs:
            templates.setdefault(job["metadata"]["name"], set()).add(str(job["spec"]["template"]))
        assert {len(found) for found in templates.values()} == {1}
        assert len(templates) == len({text for found in templates.values() for text in found})


def job_name(values: Any, component: str) -> str:
    return str(rendered_with(values).one("Job", component)["metadata"]["name"])


def test_an_upgrade_can_be_rendered_without_a_cluster() -> None:
    """Tools that show what would change do so; which Secrets are there is not known then, and none is called gone."""
    for helm in helms().values():
        command = [helm, "template", "etebar", str(CHART), "--namespace", "etebar", "--is-upgrade"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


class TestSwitches:
    """What is off is not there."""

    @pytest.mark.parametrize(("values", "kinds", "names"), [
        ({"networkPolicy": {"enabled": False}}, {"NetworkPolicy"}, set()),
        ({"podDisruptionBudget": {"enabled": False}}, {"PodDisruptionBudget"}, set()),
        ({"migrations": {"enabled": False}}, {"Job"}, set()),
        ({"tests": {"enabled": False}}, {"Pod"}, {"tests", "test-story", "test-trial"}),
        ({"metrics": {"enabled": False}}, set(), {"metrics"}),
        ({"redis": {"enabled": False}, "externalRedis": {"host": "redis.example"}}, set(), {"redis"}),
        ({}, {"Ingress", "HTTPRoute", "HorizontalPodAutoscaler"}, set()),
    ])  # fmt: skip
    def test_it_is_not_there(self, values: dict[str, Any], kinds: set[str], names: set[str]) -> None:
        rendered = rendered_with(values)
        assert rendered.of_kind(*kinds) == []
        assert names & {one["metadata"]["name"] for one in rendered.objects} == set()

    @pytest.mark.parametrize(("values", "told"), [
        ({}, {"test-story", "test-trial"}),
        ({"secrets": {"admin": {"create": False}}}, set()),
        ({"secrets": {"admin": {"create": False, "existingSecret": "staff"}}}, {"test-story", "test-trial"}),
        ({"migrations": {"enabled": False}}, set()),
        ({"core": {"staffTotp": "required"}}, set()),
        ({"core": {"creditLimitApprovalThreshold": "9.99"}}, set()),
        ({"core": {"creditLimitApprovalThreshold": "10.00"}}, {"test-story"}),
        ({"core": {"creditLimitApprovalThreshold": "1000"}}, {"test-story", "test-trial"}),
    ])  # fmt: skip
    def test_a_story_is_told_where_it_can_be(self, values: dict[str, Any], told: set[str]) -> None:
        pods = {pod["metadata"]["name"] for pod in rendered_with(values).of_kind("Pod")}
        assert pods & {"test-story", "test-trial"} == told

    def test_a_real_installation_has_no_story(self) -> None:
        """It would register a merchant and top up the pool."""
        rendered = rendered_with(case_values("production"))
        assert [pod["metadata"]["name"] for pod in rendered.of_kind("Pod")] == ["test-stranger", "test-core"]
