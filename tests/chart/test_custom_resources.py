"""The definitions of our own objects: complete descriptions, and samples that they take."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from e2e.object_cases import ACCEPTED, BY_RULES, REFUSED

from chart import custom_resources
from chart.rendered import case_values, rendered_with
from etebar_quickstart.paths import REPOSITORY

SAMPLES = sorted((REPOSITORY / "k8s" / "samples").glob("*.yaml"))
KINDS = ("Merchant", "PoolTopUp", "CreditPool")


def definitions(**values: Any) -> dict[str, dict[str, Any]]:
    found = rendered_with(values).of_kind("CustomResourceDefinition")
    return {one["spec"]["names"]["kind"]: one for one in found}


def fields(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
        yield from fields(field.get("items", {}), f"{path}.{name}[]")


def samples() -> list[dict[str, Any]]:
    return [one for path in SAMPLES for one in yaml.safe_load_all(path.read_text())]


@pytest.mark.parametrize("kind", KINDS)
class TestADefinition:
    def test_explains_every_field(self, kind: str) -> None:
        schema = definitions()[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        described = {path: field.get("description") for path, field in fields(schema)}
        assert [path for path, description in described.items() if not description] == []
        assert len(described) > 10

    def test_has_conditions_as_a_map_by_type(self, kind: str) -> None:
        schema = definitions()[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        conditions = schema["properties"]["status"]["properties"]["conditions"]
        assert (conditions["x-kubernetes-list-type"], conditions["x-kubernetes-list-map-keys"]) == ("map", ["type"])

    def test_is_there_only_when_it_is_to_be_installed(self, kind: str) -> None:
        assert kind in definitions(crds={"install": True})
        assert definitions(crds={"install": False}) == definitions(operator={"enabled": False}) == {}


class TestTheBankAccount:
    def test_stands_in_an_object_of_a_sandbox_only(self) -> None:
        (sandbox,) = [one for one in samples() if one["kind"] == "Merchant" and "bankAccount" in one["spec"]]
        assert custom_resources.problems(sandbox) == []
        assert "bankAccount" in custom_resources.problems(sandbox, case_values("production"))[0]


class TestTheCasesOfTheRealServer:
    """tests/e2e tries them on one; what needs no rule in CEL is seen here, too."""

    @pytest.mark.parametrize("case", ACCEPTED)
    def test_that_are_accepted_are_by_the_schema(self, case: str) -> None:
        assert custom_resources.problems(manifest(*ACCEPTED[case])) == []

    @pytest.mark.parametrize("case", sorted(REFUSED.keys() - BY_RULES))
    def test_that_are_refused_are_by_the_schema(self, case: str) -> None:
        kind, spec, _ = REFUSED[case]
        assert custom_resources.problems(manifest(kind, spec))


def manifest(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "etebar.dev/v1alpha1", "kind": kind, "metadata": {"name": "tried"}, "spec": spec}


class TestTheSamples:
    def test_are_of_each_kind_that_users_make(self) -> None:
        assert {one["kind"] for one in samples()} == {"Merchant", "PoolTopUp", "Secret"}

    def test_are_what_the_definitions_take(self) -> None:
        ours = [one for one in samples() if custom_resources.is_ours(one)]
        assert [problem for one in ours for problem in custom_resources.problems(one)] == []

    @pytest.mark.parametrize("change", [{"creditLimit": 100}, {"creditLimit": "1.001"}, {"unknown": "1"}])
    def test_can_fail(self, change: dict[str, Any]) -> None:
        one = copy.deepcopy(next(one for one in samples() if one["kind"] == "Merchant"))
        one["spec"] |= change
        assert custom_resources.problems(one)
