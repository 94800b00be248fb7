"""The onboarding operator on the cluster: objects become merchants, and their status tells the truth."""

import sys
import time
import uuid

import pytest
from integration.api import Api, Merchant, assert_problem
from integration.waiting import wait_until

from .cluster import REPOSITORY, Cluster, follow
from .objects import WITH_THRESHOLD, apply, conditions, events, merchant, ready, shown, top_up, wait_for

SAMPLES = REPOSITORY / "k8s" / "samples"
RESYNC_SECONDS = 60.0
READY = ("True", "Ready")


@pytest.fixture(scope="module", autouse=True)
def _installed(cluster: Cluster) -> None:
    """With a threshold, and rounds that are short enough for tests."""
    cluster.upgrade(None, *WITH_THRESHOLD, "--set", "operator.resyncSeconds=10")


def new_name(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:8]}"


def made(cluster: Cluster, name: str, **spec: object) -> None:
    """A merchant's object, applied and Ready."""
    apply(cluster, merchant(name, **spec))
    ready(cluster, [name])


def signed_in(cluster: Cluster, api: Api, name: str) -> Merchant:
    """The merchant, by the credentials of its Secret."""
    credentials = cluster.secret(f"{name}-credentials")
    number = shown(cluster, "merchant", name)["status"]["merchantId"]
    return Merchant(api, number, api.sign_in(credentials["username"], credentials["password"]))


class TestTheSamples:
    def test_are_ready_in_15_s_and_withdraw_through_the_ingress(self, cluster: Cluster, api: Api) -> None:
        cluster.kubectl("apply", "--filename", str(SAMPLES))
        begun = time.monotonic()
        ready(cluster, ["book-shop", "tea-house"])
        wait_for(cluster, "pooltopup", "opening-balance", Ready=("True", "Applied"))
        sys.stdout.write(f"the samples were ready after {time.monotonic() - begun:.1f} s\n")
        for name in ("book-shop", "tea-house"):
            withdrawn = signed_in(cluster, api, name).withdraw("1.00")
            assert (withdrawn.status_code, withdrawn.json()["state"]) == (201, "settled")

    def test_show_what_is_used(self, cluster: Cluster) -> None:
        def is_shown() -> bool:
            status = shown(cluster, "merchant", "book-shop")["status"]
            return (status["utilized"], status["available"]) == ("1.00", "999.00")

        wait_until("the status has the withdrawal", lambda: is_shown() or None, 30)

    def test_show_the_pool(self, cluster: Cluster) -> None:
        found = shown(cluster, "creditpool", "pool")
        assert float(found["status"]["available"]) > 0
        assert conditions(found)["LowWater"] == ("False", "Enough")

    def test_are_counted(self, cluster: Cluster) -> None:
        read = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
        lines = cluster.execute("deploy/operator", "python", "-c", read).splitlines()
        ready_ones = 'etebar_onboarding_objects{condition="Ready",kind="Merchant",status="True"} '
        (count,) = [float(line.removeprefix(ready_ones)) for line in lines if line.startswith(ready_ones)]
        assert count >= 2
        assert any(
            line.startswith('etebar_onboarding_reconcile_duration_seconds_count{kind="Merchant"}') for line in lines
        )


class TestALimit:
    def test_that_is_applied_is_in_the_api_within_10_s(self, cluster: Cluster, api: Api) -> None:
        name = new_name("limit")
        made(cluster, name)
        token = signed_in(cluster, api, name).token
        apply(cluster, merchant(name, creditLimit="250.00"))
        wait_until(
            "the limit is in the API",
            lambda: api.must("GET", "/me", headers=token)["credit_limit"] == "250.00" or None,
            10,
        )
        wait_for(cluster, "merchant", name, LimitInSync=("True", "InSync"), Ready=READY)

    def test_above_the_threshold_waits_for_staff(self, cluster: Cluster, api: Api) -> None:
        name = new_name("large")
        apply(cluster, merchant(name, creditLimit="6000.00"))
        waits = ("False", "WaitsForStaff")
        wait_for(cluster, "merchant", name, PendingApproval=("True", "WaitsForStaff"), Ready=waits, Approved=waits)
        asked = api.must("GET", "/admin/approvals?state=requested", headers=api.admin)["results"]
        number = shown(cluster, "merchant", name)["status"]["merchantId"]
        (mine,) = [each["approval_id"] for each in asked if each["merchant_id"] == number]
        api.must("POST", "/admin/approvals/approve", {"approval_id": mine}, api.admin)
        wait_for(cluster, "merchant", name, RESYNC_SECONDS, PendingApproval=("False", "NothingWaits"), Ready=READY)
        assert shown(cluster, "merchant", name)["status"]["creditLimit"] == "6000.00"

    @pytest.mark.parametrize(("policy", "limit", "drifted"), [
        ("Correct", "100.00", ("False", "Corrected")),
        ("Report", "70.00", ("True", "Differs")),
    ])  # fmt: skip
    def test_changed_behind_the_objects_back_is_put_right_or_shown(
        self, cluster: Cluster, api: Api, policy: str, limit: str, drifted: tuple[str, str]
    ) -> None:
        name = new_name("drift")
        made(cluster, name, driftPolicy=policy)
        number = shown(cluster, "merchant", name)["status"]["merchantId"]
        api.must("POST", "/admin/credit-limit", {"merchant_id": number, "credit_limit": "70.00"}, api.admin)
        wait_until(
            "an event tells it", lambda: any(reason == drifted[1] for reason, _ in events(cluster, name)) or None, 40
        )
        token = signed_in(cluster, api, name).token
        assert api.must("GET", "/me", headers=token)["credit_limit"] == limit
        if policy == "Report":
            assert conditions(shown(cluster, "merchant", name))["Drifted"] == drifted


class TestCredentials:
    def test_are_rotated_on_demand(self, cluster: Cluster, api: Api) -> None:
        name = new_name("rotate")
        made(cluster, name)
        old = cluster.secret(f"{name}-credentials")
        cluster.kubectl("annotate", "merchant", name, "etebar.dev/rotate-credentials=2026-11")
        new = wait_until("there is another password", lambda: another(cluster, name, old), 15)
        wait_until("it is in force", lambda: is_in_force(api, new) or None, 10)
        assert not is_in_force(api, old)

    def test_are_issued_anew_when_they_are_lost(self, cluster: Cluster, api: Api) -> None:
        name = new_name("lost")
        made(cluster, name)
        old = cluster.secret(f"{name}-credentials")
        cluster.kubectl("delete", "secret", f"{name}-credentials")
        new = wait_until("there is another password", lambda: another(cluster, name, old), 30)
        wait_until("it is in force", lambda: is_in_force(api, new) or None, 10)

    def test_never_replace_a_secret_of_somebody_else(self, cluster: Cluster) -> None:
        name = new_name("owned")
        cluster.kubectl("create", "secret", "generic", f"{name}-credentials", "--from-literal=password=mine")
        apply(cluster, merchant(name))
        wait_for(cluster, "merchant", name, CredentialsIssued=("False", "SecretNotOwned"))
        assert cluster.secret(f"{name}-credentials") == {"password": "mine"}
        cluster.kubectl("delete", "secret", f"{name}-credentials")
        ready(cluster, [name], 30)


def another(cluster: Cluster, name: str, old: dict[str, str]) -> dict[str, str] | None:
    """The credentials that are not `old` any more."""
    found = {each["metadata"]["name"] for each in cluster.get("secrets")}
    if f"{name}-credentials" not in found:
        return None
    new = cluster.secret(f"{name}-credentials")
    return None if new["password"] == old["password"] else new


def is_in_force(api: Api, credentials: dict[str, str]) -> bool:
    sent = {name: credentials[name] for name in ("username", "password")}
    return api.send("POST", "/auth/token", sent).status_code == 200


class TestTheToken:
    def test_is_replaced_and_merchants_are_kept_on(self, cluster: Cluster) -> None:
        old = cluster.secret("etebar-operator-token")["token"]
        name = new_name("rotated")
        made(cluster, name)
        for number, _ in enumerate(follow("rotate-operator-token.md"), start=1):
            apply(cluster, merchant(name, creditLimit=f"20{number}.00"))
            wait_for(cluster, "merchant", name, 30, LimitInSync=("True", "InSync"), Ready=READY)
        new = cluster.secret("etebar-operator-token")
        assert new["token"] != old
        assert new["token-next"] == ""


class TestDeletion:
    def test_retains_the_merchant_or_closes_it_when_the_books_allow(self, cluster: Cluster, api: Api) -> None:
        kept, closed, owing = new_name("kept"), new_name("closed"), new_name("owing")
        policies = {kept: "Retain", closed: "Close", owing: "Close"}
        apply(cluster, *(merchant(name, deletionPolicy=policy) for name, policy in policies.items()))
        ready(cluster, policies)
        merchants = {name: signed_in(cluster, api, name) for name in policies}
        assert merchants[owing].withdraw("30.00").status_code == 201
        cluster.kubectl("delete", "merchant", *policies, "--wait=false")
        wait_until("those that can be are gone", lambda: left(cluster, policies) == {owing} or None, 30)
        assert merchants[kept].withdraw("1.00").status_code == 201
        for name in (closed, owing):
            assert_problem(merchants[name].withdraw("1.00"), 409, "merchant_not_active")
        reasons = dict(events(cluster, owing))
        assert "30.00" in reasons["WaitsForRepayment"]
        assert shown(cluster, "merchant", owing)["status"]["state"] == "suspended"
        assert "Closed" in dict(events(cluster, closed))
        assert "Released" in dict(events(cluster, kept))
        # the way out, as the message says it
        cluster.kubectl("patch", "merchant", owing, "--type=merge", "--patch", '{"spec": {"deletionPolicy": "Retain"}}')
        wait_until("it is let go, too", lambda: not left(cluster, policies) or None, 30)
        cluster.assert_books_agree()


def left(cluster: Cluster, names: dict[str, str]) -> set[str]:
    return {each["metadata"]["name"] for each in cluster.get("merchants")} & names.keys()


class TestAPoolTopUp:
    def test_moves_the_money_once(self, cluster: Cluster, api: Api) -> None:
        before = float(funded(cluster))
        reference = new_name("once")
        names = [f"{reference}-{number}" for number in range(20)]
        apply(cluster, *(top_up(name, "11.00", reference) for name in names))
        cluster.kubectl("delete", "pod", "--selector", "app.kubernetes.io/component=operator", "--force")
        for name in names:
            wait_for(cluster, "pooltopup", name, 60, Ready=("True", "Applied"))
        cluster.kubectl("delete", "pooltopup", *names)
        apply(cluster, top_up(names[0], "11.00", reference), top_up(names[1], "12.00", reference))
        wait_for(cluster, "pooltopup", names[0], Ready=("True", "Applied"))
        wait_for(cluster, "pooltopup", names[1], Conflict=("True", "Conflict"), Ready=("False", "Conflict"))
        assert float(funded(cluster)) - before == pytest.approx(11.0)
        cluster.assert_books_agree()


def funded(cluster: Cluster) -> str:
    """All top-ups, by core's own table."""
    ((amount,),) = cluster.sql("walletdb", "SELECT sum(amount)::text FROM payments_pooltopup")
    return str(amount)
