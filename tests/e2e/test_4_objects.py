"""Merchant and PoolTopUp as the API server knows them: what it takes, what it refuses, what it shows and explains."""

import json
from collections.abc import Iterator

import pytest
import yaml
from integration.waiting import wait_until

from .cluster import CHART, RELEASE, REPOSITORY, Cluster, CommandError
from .object_cases import ACCEPTED, MERCHANT, PRODUCTION_REFUSED, REFUSED, TOP_UP, UNCHANGEABLE
from .objects import manifest

PRODUCTION = REPOSITORY / "tests" / "chart" / "matrix" / "production.yaml"
# beside the installation's own definition, whose profile is sandbox
PRODUCTION_GROUP, PRODUCTION_KIND, PRODUCTION_PLURAL = "production.example", "ProductionMerchant", "productionmerchants"
COLUMNS = "NAME USERNAME STATE LIMIT AVAILABLE READY REASON AGE"


@pytest.fixture(scope="module")
def there(cluster: Cluster) -> Iterator[dict[str, str]]:
    """An object of each kind, in a namespace that the operator does not watch."""
    place = Cluster(cluster.tag, "not-watched")
    cluster.kubectl("create", "namespace", place.namespace)
    kept = MERCHANT | {"approved": True, "credentialsSecretName": "shop"}
    for kind, spec in (("Merchant", kept), ("PoolTopUp", TOP_UP)):
        place.kubectl("create", "--filename", "-", text=json.dumps(manifest(kind, "there", spec)))
    yield {"Merchant": "merchant/there", "PoolTopUp": "pooltopup/there"}
    cluster.kubectl("delete", "namespace", place.namespace)


class TestTheServer:
    @pytest.mark.parametrize("case", ACCEPTED)
    def test_takes(self, cluster: Cluster, case: str) -> None:
        kind, spec = ACCEPTED[case]
        tried = json.dumps(manifest(kind, "tried", spec))
        assert "created (server dry run)" in cluster.kubectl("apply", "--dry-run=server", "--filename", "-", text=tried)

    @pytest.mark.parametrize("case", REFUSED)
    def test_refuses(self, cluster: Cluster, case: str) -> None:
        kind, spec, said = REFUSED[case]
        with pytest.raises(CommandError) as refused:
            cluster.kubectl(
                "apply", "--dry-run=server", "--filename", "-", text=json.dumps(manifest(kind, "tried", spec))
            )
        assert said in str(refused.value)

    @pytest.mark.parametrize("case", UNCHANGEABLE)
    def test_changes_nothing_that_is_fixed(self, cluster: Cluster, there: dict[str, str], case: str) -> None:
        kind, change, said = UNCHANGEABLE[case]
        place = Cluster(cluster.tag, "not-watched")
        with pytest.raises(CommandError) as refused:
            place.kubectl("patch", there[kind], "--type=merge", "--patch", json.dumps({"spec": change}))
        assert said in str(refused.value)

    def test_explains_every_field(self, cluster: Cluster) -> None:
        for kind in ("merchant", "pooltopup", "creditpool"):
            explained = cluster.kubectl("explain", kind, "--recursive=false")
            assert "<empty>" not in explained
            for part in ("spec", "status"):
                assert "<no description>" not in cluster.kubectl("explain", f"{kind}.{part}")

    def test_shows_merchants_in_a_table(self, cluster: Cluster, there: dict[str, str]) -> None:
        place = Cluster(cluster.tag, "not-watched")
        assert there
        assert place.kubectl("get", "merchants").splitlines()[0].split() == COLUMNS.split()
        assert place.kubectl("get", "mct,ptu,etebar", "--no-headers").count("there") == 2


@pytest.fixture(scope="module")
def production(cluster: Cluster) -> Iterator[None]:
    """The definition of Merchant as the chart has it for production, under another name."""
    shown = ("--values", str(PRODUCTION), "--show-only", "templates/crds/merchants.yaml")
    definition = yaml.safe_load(cluster.helm("template", RELEASE, str(CHART), *shown))
    name = f"{PRODUCTION_PLURAL}.{PRODUCTION_GROUP}"
    names = {"kind": PRODUCTION_KIND, "plural": PRODUCTION_PLURAL}
    definition |= {
        "metadata": {"name": name},
        "spec": definition["spec"] | {"group": PRODUCTION_GROUP, "names": names},
    }
    cluster.kubectl("create", "--filename", "-", text=json.dumps(definition))
    served = ("api-resources", f"--api-group={PRODUCTION_GROUP}", "--output=name")
    wait_until("it is served", lambda: name in cluster.kubectl(*served) or None, 60)
    yield
    cluster.kubectl("delete", "customresourcedefinition", name)


@pytest.mark.usefixtures("production")
class TestInProduction:
    @staticmethod
    def tried(cluster: Cluster, spec: dict[str, object]) -> str:
        kind = {"apiVersion": f"{PRODUCTION_GROUP}/v1alpha1", "kind": PRODUCTION_KIND}
        made = json.dumps(manifest(PRODUCTION_KIND, "tried", spec) | kind)
        return cluster.kubectl("create", "--dry-run=server", "--validate=strict", "--filename", "-", text=made)

    def test_the_server_takes_an_account_in_a_secret(self, cluster: Cluster) -> None:
        assert "created (server dry run)" in self.tried(cluster, MERCHANT)

    @pytest.mark.parametrize("case", PRODUCTION_REFUSED)
    def test_the_server_refuses(self, cluster: Cluster, case: str) -> None:
        spec, said = PRODUCTION_REFUSED[case]
        with pytest.raises(CommandError) as refused:
            self.tried(cluster, spec)
        assert said in str(refused.value)
