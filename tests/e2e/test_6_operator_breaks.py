"""Many objects at once, an operator that is killed, a core that is away, and what the operator may do."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from integration.waiting import wait_until

from .cluster import CHART, KIND_VALUES, NAMESPACE, RELEASE, Cluster
from .objects import apply, merchant, ready, shown, wait_for

CROWD = 200
CROWD_SECONDS = 300.0
AWAY_SECONDS = 60.0
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:operator"
GROUP = "etebar.dev"
# exactly what the operator may do in a namespace that it watches, and in its own
WATCHED = {
    (GROUP, "merchants"): {"list", "watch", "patch"},
    (GROUP, "merchants/status"): {"patch"},
    (GROUP, "pooltopups"): {"list", "watch", "patch"},
    (GROUP, "pooltopups/status"): {"patch"},
    ("", "secrets"): {"get", "create", "patch"},
    ("", "events"): {"create"},
}
OWN = {
    (GROUP, "creditpools"): {"get", "create", "patch"},
    (GROUP, "creditpools/status"): {"patch"},
    ("", "events"): {"create"},
}
TEAMS = ("team-a", "team-b")


@contextmanager
def core_away(cluster: Cluster) -> Iterator[None]:
    """The internal API has no pod."""
    cluster.kubectl("scale", "deploy/core-internal", "--replicas=0")
    wait_until("the internal API is away", lambda: not cluster.pods("core-internal") or None, 60)
    try:
        yield
    finally:
        cluster.kubectl("scale", "deploy/core-internal", "--replicas=1")
        cluster.rolled_out("deploy/core-internal")


def assert_one_each(cluster: Cluster, prefix: str) -> None:
    """Each of a crowd is registered once, and approved."""
    registered = "SELECT count(*) AS n, count(DISTINCT detail->>'username') AS names FROM payments_auditentry WHERE"
    chosen = f"action = 'merchant_registered' AND detail->>'username' LIKE '{prefix}-%'"
    assert cluster.sql("walletdb", f"{registered} {chosen}") == [[CROWD, CROWD]]
    merchants = (
        "SELECT count(*) AS n, min(m.state) AS least, max(m.state) AS most"
        f" FROM payments_merchant m JOIN auth_user u ON u.id = m.user_id WHERE u.username LIKE '{prefix}-%'"
    )
    assert cluster.sql("walletdb", merchants) == [[CROWD, "approved", "approved"]]


def crowd(cluster: Cluster) -> list[str]:
    """Those of the crowd that are there."""
    names = [each["metadata"]["name"] for each in cluster.get("merchants")]
    return [name for name in names if name.startswith("calm-")]


class TestACrowd:
    def test_is_ready_once_each(self, cluster: Cluster) -> None:
        names = [f"calm-{number:03}" for number in range(CROWD)]
        begun = time.monotonic()
        apply(cluster, *(merchant(name, creditLimit="1.00") for name in names))
        ready(cluster, names, CROWD_SECONDS)
        sys.stdout.write(f"{CROWD} merchants were ready after {time.monotonic() - begun:.0f} s\n")
        assert_one_each(cluster, "calm")
        # the next class, which the operator has no part in, does not wait for it
        cluster.kubectl("delete", "merchants", *names, "--wait=false")


class TestRights:
    def test_are_exactly_those_that_are_listed(self, cluster: Cluster) -> None:
        assert rights(cluster, ACCOUNT, NAMESPACE) == WATCHED | OWN

    @pytest.mark.parametrize("namespace", ["default", "kube-system", "traefik"])
    def test_are_none_in_other_namespaces(self, cluster: Cluster, namespace: str) -> None:
        assert rights(cluster, ACCOUNT, namespace) == {}

    @pytest.mark.parametrize("asked", [
        ("list", "secrets"), ("delete", "secrets"), ("watch", "secrets"), ("delete", "merchants"), ("get", "merchants"),
        ("create", "merchants"), ("update", "merchants"), ("get", "pods"), ("create", "pods/exec"),
        ("get", "configmaps"), ("impersonate", "serviceaccounts"), ("create", "serviceaccounts/token"),
        ("get", "customresourcedefinitions"), ("list", "namespaces"),
    ])  # fmt: skip
    def test_are_not(self, cluster: Cluster, asked: tuple[str, str]) -> None:
        review = {"resourceAttributes": {"namespace": NAMESPACE, "verb": asked[0], "resource": asked[1]}}
        assert not reviewed(cluster, "SelfSubjectAccessReview", review, ACCOUNT)["allowed"]


class TestACoreThatIsAway:
    def test_is_told_by_conditions_that_recover_by_themselves(self, cluster: Cluster) -> None:
        wait_until("the crowd is gone", lambda: not crowd(cluster) or None, CROWD_SECONDS)
        apply(cluster, merchant("before-away"))
        ready(cluster, ["before-away"])
        with core_away(cluster):
            begun = time.monotonic()
            apply(cluster, merchant("before-away", creditLimit="150.00"), merchant("while-away"))
            for name in ("before-away", "while-away"):
                wait_for(cluster, "merchant", name, 30, Ready=("False", "CoreUnavailable"))
            wait_for(cluster, "creditpool", "pool", 30, Ready=("False", "CoreUnavailable"))
            time.sleep(max(0.0, AWAY_SECONDS - (time.monotonic() - begun)))
        for name in ("before-away", "while-away"):
            wait_for(cluster, "merchant", name, 40, Ready=("True", "Ready"), LimitInSync=("True", "InSync"))
        wait_for(cluster, "creditpool", "pool", 40, Ready=("True", "Ready"))


def rights(cluster: Cluster, account: str, namespace: str) -> dict[tuple[str, str], set[str]]:
    """What an account may do that every account may not."""
    own, common = (
        _rules(reviewed(cluster, "SelfSubjectRulesReview", {"namespace": namespace}, each))
        for each in (account, "system:serviceaccount:default:nobody")
    )
    found: dict[tuple[str, str], set[str]] = {}
    for group, resource, verb in own - common:
        found.setdefault((group, resource), set()).add(verb)
    return found


def _rules(status: dict[str, list[dict[str, list[str]]]]) -> set[tuple[str, str, str]]:
    return {
        (group, resource, verb)
        for rule in status["resourceRules"]
        for group in rule.get("apiGroups", [])
        for resource in rule.get("resources", [])
        for verb in rule["verbs"]
    }


def reviewed(cluster: Cluster, kind: str, spec: dict[str, object], account: str) -> dict[str, object]:
    """The status of a review that the API server made of an account."""
    asked = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    printed = cluster.kubectl(
        "create", "--filename", "-", "-o", "json", "--validate=false", f"--as={account}", text=json.dumps(asked)
    )
    status: dict[str, object] = json.loads(printed)["status"]
    return status


def watch(cluster: Cluster, *namespaces: str) -> None:
    """Upgrades the release: the operator watches these namespaces only, with short rounds."""
    watched = f"operator.watchNamespaces={json.dumps(namespaces)}"
    cluster.upgrade(None, "--set-json", watched, "--set", "operator.resyncSeconds=10")


@pytest.fixture(scope="class")
def teams(cluster: Cluster) -> Iterator[tuple[Cluster, Cluster]]:
    """Two namespaces of teams, which the operator watches, and not its own; each has a merchant that is Ready."""
    first, second = (Cluster(cluster.tag, name) for name in TEAMS)
    for name in TEAMS:
        cluster.kubectl("create", "namespace", name)
    watch(cluster, *TEAMS)
    for place in (first, second):
        apply(place, merchant(f"of-{place.namespace}"))
        ready(place, [f"of-{place.namespace}"])
    yield first, second
    for place in (first, second):
        place.kubectl("delete", "merchants", "--all", "--timeout=60s")
    cluster.upgrade()
    cluster.kubectl("delete", "namespace", *TEAMS, "--ignore-not-found", "--timeout=60s")


class TestWatchedNamespaces:
    def test_are_where_its_rights_are_and_nowhere_else(self, cluster: Cluster, teams: tuple[Cluster, Cluster]) -> None:
        for place in teams:
            assert rights(cluster, ACCOUNT, place.namespace) == WATCHED
        assert rights(cluster, ACCOUNT, NAMESPACE) == OWN
        assert rights(cluster, ACCOUNT, "default") == {}

    def test_have_their_credentials_and_others_are_left_alone(
        self, cluster: Cluster, teams: tuple[Cluster, Cluster]
    ) -> None:
        assert teams[0].secret("of-team-a-credentials")["username"] == "of-team-a"
        apply(cluster, merchant("unwatched"))
        # a round of those that are watched, and more
        apply(teams[0], merchant("of-team-a", creditLimit="120.00"))
        wait_for(teams[0], "merchant", "of-team-a", LimitInSync=("True", "InSync"))
        time.sleep(10)
        assert "status" not in shown(cluster, "merchant", "unwatched")
        cluster.kubectl("delete", "merchant", "unwatched", "--timeout=10s")

    def test_go_when_their_merchants_went_first(self, cluster: Cluster, teams: tuple[Cluster, Cluster]) -> None:
        first, second = teams
        second.kubectl("delete", "merchants", "--all", "--timeout=30s")
        cluster.kubectl("delete", "namespace", second.namespace, "--timeout=60s")
        apply(first, merchant("of-team-a", creditLimit="140.00"))
        wait_for(first, "merchant", "of-team-a", LimitInSync=("True", "InSync"), Ready=("True", "Ready"))

    def test_may_be_all(self, cluster: Cluster, teams: tuple[Cluster, Cluster]) -> None:
        watch(cluster, "*")
        assert rights(cluster, ACCOUNT, "default") == rights(cluster, ACCOUNT, teams[0].namespace) == WATCHED
        assert rights(cluster, ACCOUNT, NAMESPACE) == WATCHED | OWN
        apply(teams[0], merchant("of-team-a", creditLimit="150.00"))
        wait_for(teams[0], "merchant", "of-team-a", 30, LimitInSync=("True", "InSync"), Ready=("True", "Ready"))


class TestTheDefinitions:
    def test_are_upgraded_with_the_release(self, cluster: Cluster, tmp_path: Path) -> None:
        newer = tmp_path / "etebar"
        shutil.copytree(CHART, newer)
        changed = newer / "templates" / "crds" / "merchants.yaml"
        old, new = "description: What the merchant is to be.", "description: What it is to be, said anew."
        assert old in changed.read_text()
        changed.write_text(changed.read_text().replace(old, new))
        values = ("--values", str(KIND_VALUES), "--set", f"image.tag={cluster.tag}")
        cluster.helm("upgrade", RELEASE, str(newer), *values, "--wait", "--timeout", "5m")
        explained = "What it is to be, said anew."
        wait_until("it is explained anew", lambda: explained in cluster.kubectl("explain", "merchant.spec") or None, 30)
        cluster.upgrade()
        wait_until("and as it was", lambda: explained not in cluster.kubectl("explain", "merchant.spec") or None, 30)
