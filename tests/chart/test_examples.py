"""k8s/examples: each is rendered with the chart, and everything in it is what Kubernetes or its own project takes."""

import base64
import copy
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from chart import custom_resources, kubernetes_schema
from chart.policies import POLICIES
from chart.policies.secrets import PLACES
from chart.rendered import OUR_SECRETS, Rendered, case_values, merged, rendered_with
from etebar_deploy.chart import CHART
from etebar_deploy.network import network
from etebar_quickstart.paths import REPOSITORY

EXAMPLES = REPOSITORY / "k8s" / "examples"
SECRETS = REPOSITORY / "k8s" / "secrets.sh"
SCHEMAS = Path(__file__).parent / "schemas"
# the values files of each, as its README or its Application names them
VALUES = {
    "production": ["production/values.yaml"],
    "argocd": ["production/values.yaml", "argocd/values.yaml"],
    "gateway": ["gateway/values.yaml"],
    "merchants": ["merchants/values.yaml"],
    "receiver": [],
}
MANIFESTS = sorted(path for path in EXAMPLES.glob("*/*.yaml") if path.name != "values.yaml")


def example(name: str) -> Rendered:
    values: dict[str, Any] = {}
    for file in VALUES[name]:
        values = merged(values, yaml.safe_load((EXAMPLES / file).read_text()))
    return rendered_with(values)


def manifests(name: str) -> list[dict[str, Any]]:
    return [one for path in MANIFESTS if path.parent.name == name for one in _documents(path.read_text())]


def problems(one: dict[str, Any], version: str = "1.34") -> list[str]:
    """By our own definitions, by our own schema for other projects' kinds, else by Kubernetes'."""
    if custom_resources.is_ours(one):
        return custom_resources.problems(one)
    path = SCHEMAS / f"{one['kind']}.json"
    if not path.exists():
        return kubernetes_schema.problems(one, version)
    errors = Draft202012Validator(json.loads(path.read_text())).iter_errors(one)
    return [f"{one['kind']}/{one['metadata']['name']}: {error.json_path}: {error.message}" for error in errors]


def _documents(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one]


def test_no_example_is_forgotten() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == set(VALUES)


@pytest.mark.parametrize("name", VALUES)
class TestExample:
    @pytest.mark.parametrize("version", kubernetes_schema.VERSIONS)
    def test_every_object_is_valid(self, name: str, version: str) -> None:
        objects = [*manifests(name), *example(name).objects]
        assert [problem for one in objects for problem in problems(one, version)] == []

    @pytest.mark.parametrize("policy", POLICIES)
    def test_it_holds_to(self, name: str, policy: str) -> None:
        assert list(POLICIES[policy](example(name))) == []


@pytest.mark.parametrize("name", ["production", "argocd"])
def test_without_a_cluster_every_secret_is_named(name: str) -> None:
    assert example(name).of_kind("Secret") == []


def test_the_chart_s_own_route_is_valid() -> None:
    routes = rendered_with(case_values("gateway")).of_kind("HTTPRoute")
    assert [problem for route in routes for problem in problems(route)] == []
    assert len(routes) == 1


class TestSchemas:
    """They can fail."""

    @pytest.mark.parametrize("kind", sorted(path.stem for path in SCHEMAS.glob("*.json")))
    def test_an_unknown_field_is_told(self, kind: str) -> None:
        one = copy.deepcopy(next(one for name in VALUES for one in manifests(name) if one["kind"] == kind))
        one["spec"]["unknownField"] = True
        assert "unknownField" in problems(one)[0]

    @pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: f"{path.parent.name}/{path.name}")
    def test_everything_has_a_spec_or_is_a_namespace(self, path: Path) -> None:
        assert [one["kind"] for one in _documents(path.read_text()) if "spec" not in one] in ([], ["Namespace"])


class TestKind:
    def test_what_surrounds_the_chart_is_valid(self) -> None:
        paths = [path for path in (REPOSITORY / "k8s" / "kind").glob("*.yaml") if not path.name.endswith("values.yaml")]
        objects = [one for path in paths for one in _documents(path.read_text())]
        assert [
            problem for version in kubernetes_schema.VERSIONS for one in objects for problem in problems(one, version)
        ] == []
        assert len(objects) >= 1

    @pytest.mark.parametrize("policy", POLICIES)
    def test_its_values_hold_to(self, policy: str) -> None:
        values = yaml.safe_load((REPOSITORY / "k8s" / "kind" / "values.yaml").read_text())
        assert list(POLICIES[policy](rendered_with(values))) == []


class TestProduction:
    def test_the_database_is_reached_by_those_who_need_it_and_nobody_else(self) -> None:
        objects = [*example("production").objects, *manifests("production")]
        own, unguarded = network(objects), network(example("production").objects)
        database = next(party for party in own.parties if party.name == "pods cnpg.io/cluster=etebar-db")
        reached_by = {party.name for party in own.parties if party is not database and own.ports(party, database)}
        # whatever of the release is let out to it is let in by it
        let_out = {party.name for party in unguarded.parties if party.is_ours and unguarded.ports(party, database)}
        assert {"core-internal", "migrate-core", "settlement"} < let_out
        assert reached_by == {*let_out, "pods app.kubernetes.io/name=cloudnative-pg of namespace cnpg-system"}

    def test_without_its_policy_everybody_reaches_it(self) -> None:
        own = network(example("production").objects)
        database = next(party for party in own.parties if party.name == "pods cnpg.io/cluster=etebar-db")
        assert [party.name for party in own.parties if party.is_stranger and own.ports(party, database)]

    def test_roles_and_databases_are_those_of_roles_sql(self) -> None:
        [cluster] = [one for one in manifests("production") if one["kind"] == "Cluster"]
        [database] = [one for one in manifests("production") if one["kind"] == "Database"]
        initdb, roles = cluster["spec"]["bootstrap"]["initdb"], cluster["spec"]["managed"]["roles"]
        script = (REPOSITORY / "quickstart" / "etebar_quickstart" / "roles.sql").read_text()
        assert f"('{initdb['database']}', '{initdb['owner']}')" in script
        assert f"('{database['spec']['name']}', '{database['spec']['owner']}')" in script
        assert all(f"ALTER ROLE {role['name']} LOGIN" in script for role in roles)
        assert script.count(" LOGIN ") == len(roles)

    def test_it_asks_for_the_databases_by_their_names(self) -> None:
        values = example("production").values["externalDatabase"]
        assert (values["core"]["name"], values["settlement"]["name"]) == ("walletdb", "settlementdb")
        assert {values["core"]["host"], values["settlement"]["host"], values["caSecret"]} == {
            "etebar-db-rw",
            "etebar-db-ca",
        }


class TestArgo:
    def test_the_application_names_files_that_are_there(self) -> None:
        [application] = manifests("argocd")
        source = application["spec"]["source"]
        chart = REPOSITORY / source["path"]
        assert chart == CHART
        files = [(chart / file).resolve() for file in source["helm"]["valueFiles"]]
        assert files == [EXAMPLES / file for file in VALUES["argocd"]]


class TestGateway:
    def test_the_route_joins_the_gateway(self) -> None:
        [gateway] = [one for one in manifests("gateway") if one["kind"] == "Gateway"]
        [route] = example("gateway").of_kind("HTTPRoute")
        [parent] = route["spec"]["parentRefs"]
        assert (parent["name"], parent["namespace"]) == (gateway["metadata"]["name"], gateway["metadata"]["namespace"])
        listener = next(one for one in gateway["spec"]["listeners"] if one["name"] == parent["sectionName"])
        assert listener["hostname"] in route["spec"]["hostnames"]


class TestSecretsScript:
    def test_it_makes_every_secret_that_the_chart_reads(self) -> None:
        made = {one["metadata"]["name"]: set(one["stringData"]) for one in _made()}
        wanted: dict[str, set[str]] = {}
        for word, key in PLACES:
            if word != "bank":
                wanted.setdefault(OUR_SECRETS[word], set()).add(key)
        assert made.keys() == wanted.keys()
        assert {name: wanted[name] - made[name] for name in wanted} == {name: set() for name in wanted}

    def test_they_are_valid_and_random(self) -> None:
        first, second = _made(), _made()
        assert [problem for one in first for problem in problems(one)] == []
        same = {
            value
            for one, other in zip(first, second, strict=True)
            for key, value in one["stringData"].items()
            if other["stringData"][key] == value
        }
        moments = {value for value in same if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value)}
        assert same - moments == {"admin", "", "wallet", "wallet_app", "settlement", "settlement_app", "etebar_audit"}

    def test_they_are_as_long_as_the_chart_s_own(self) -> None:
        own = {one["metadata"]["name"]: one["data"] for one in rendered_with({}).of_kind("Secret")}
        for one in _made():
            for key, value in own[one["metadata"]["name"]].items():
                assert len(one["stringData"][key]) == len(base64.b64decode(value))

    def test_some_can_be_asked_for(self) -> None:
        assert [one["metadata"]["name"] for one in _made("etebar-redis", "etebar-core")] == [
            "etebar-redis",
            "etebar-core",
        ]

    def test_an_unknown_name_is_an_error_that_names_the_others(self) -> None:
        done = subprocess.run(["/bin/sh", SECRETS, "other"], check=False, capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.startswith(
            "there is no Secret other; there are: etebar-core etebar-account-key etebar-fingerprint"
        )


def _made(*names: str) -> list[dict[str, Any]]:
    done = subprocess.run(["/bin/sh", SECRETS, *names], check=True, capture_output=True, text=True)
    return _documents(done.stdout)
