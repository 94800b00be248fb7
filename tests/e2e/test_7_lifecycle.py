"""Rollback, uninstall and a second installation in the same namespace, on what the first one kept."""

import contextlib

import httpx2
from integration.api import PASSWORD, Api
from integration.waiting import wait_until

from .cluster import NAMESPACE, RELEASE, Cluster
from .objects import apply, ready, shown, wait_for
from .objects import merchant as onboarded

OBJECTS = ("merchants", "pooltopups", "creditpools")
KEPT = "helm.sh/resource-policy"
KINDS = (
    "deployments,statefulsets,replicasets,pods,jobs,services,configmaps,secrets,persistentvolumeclaims,serviceaccounts,"
    "networkpolicies,ingresses,poddisruptionbudgets,horizontalpodautoscalers,roles,rolebindings,endpointslices"
)
# made by Kubernetes itself, or by Helm for its own history
OF_THE_CLUSTER = {"kube-root-ca.crt", "default"}
HOOK, TEST = "helm.sh/hook", "test"


class TestTheRelease:
    def test_goes_back_to_its_first_version(self, cluster: Cluster, api: Api) -> None:
        cluster.helm("rollback", RELEASE, "1", "--wait", "--timeout", "4m")
        images = {pod["spec"]["containers"][0]["image"] for pod in cluster.pods("core-web")}
        assert images == {f"etebar-core:{cluster.tag}"}
        assert api.merchant().withdraw().status_code == 201
        cluster.assert_books_agree()

    def test_leaves_nothing_but_what_is_marked_keep_and_comes_back_on_it(self, cluster: Cluster, api: Api) -> None:
        merchant = api.merchant(limit="10.00")
        assert merchant.withdraw("4.00").status_code == 201
        name = api.must("GET", "/me", headers=merchant.token)["username"]
        apply(cluster, onboarded("outlives"))
        ready(cluster, ["outlives"])
        users = users_secrets(cluster)
        said = cluster.helm("uninstall", RELEASE, "--wait", "--timeout", "4m")
        assert all(f"[CustomResourceDefinition] {kind}.etebar.dev" in said for kind in OBJECTS)
        with contextlib.suppress(AssertionError):
            wait_until("nothing is left", lambda: not left(cluster, users), 120)
        assert left(cluster, users) == []
        assert shown(cluster, "merchant", "outlives")["status"]["state"] == "approved"

        cluster.upgrade()
        token = wait_until("the ingress knows the new pods", lambda: signed_in(api, name), 60)
        assert api.must("GET", "/me", headers=token)["available_credit"] == "6.00"
        assert cluster.helm("test", RELEASE, "--timeout", "4m")
        cluster.assert_books_agree()
        apply(cluster, onboarded("outlives", creditLimit="20.00"))
        wait_for(cluster, "merchant", "outlives", 30, LimitInSync=("True", "InSync"), Ready=("True", "Ready"))


def users_secrets(cluster: Cluster) -> set[str]:
    """Secrets that are not the chart's or Helm's: bank accounts, and the credentials that the operator wrote."""
    return {
        each["metadata"]["name"]
        for each in cluster.get("secrets", "--selector", "app.kubernetes.io/managed-by!=Helm")
        if each["type"] == "Opaque"
    }


def left(cluster: Cluster, users: set[str]) -> list[str]:
    """Objects of the namespace that nobody marked to be kept; Helm leaves the pods of `helm test` behind, as always."""
    return [
        f"{each['kind']}/{each['metadata']['name']}"
        for each in cluster.get(KINDS)
        if each["metadata"].get("annotations", {}).get(KEPT) != "keep"
        and each["metadata"].get("annotations", {}).get(HOOK) != TEST
        and each["metadata"]["name"] not in OF_THE_CLUSTER
        and not (each["kind"] == "Secret" and each["metadata"]["name"] in users)
        and each["metadata"]["namespace"] == NAMESPACE
    ]


def signed_in(api: Api, username: str) -> dict[str, str] | None:
    """The token of a merchant of the first installation, once core answers."""
    try:
        answer = api.send("POST", "/auth/token", {"username": username, "password": PASSWORD})
    except httpx2.TransportError:
        return None
    return {"Authorization": f"Bearer {answer.json()['access']}"} if answer.status_code == 200 else None
