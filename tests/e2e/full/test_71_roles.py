"""An operator that may not look at one of its namespaces any more keeps the others, and says so."""

import time

from integration.waiting import wait_until

from e2e.cluster import NAMESPACE, Cluster
from e2e.objects import apply, merchant, wait_for
from e2e.test_6_operator_breaks import TEAMS, teams, watch

__all__ = ["teams"]

# kopf by its own settings ends 54 s after a namespace is forbidden
FORBIDDEN_SECONDS = 75.0
UNREACHABLE = "etebar_onboarding_namespaces_unreachable"


def metric(cluster: Cluster, name: str) -> float:
    """A metric of the operator that has no labels, as it serves it."""
    read = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:9464/metrics').read().decode())"
    lines = cluster.execute("deploy/operator", "python", "-c", read).splitlines()
    (value,) = [float(line.removeprefix(f"{name} ")) for line in lines if line.startswith(f"{name} ")]
    return value


class TestWatchedNamespaces:
    def test_that_lose_their_role_wait_alone(self, cluster: Cluster, teams: tuple[Cluster, Cluster]) -> None:
        first, second = teams
        first.kubectl("delete", "role", f"{NAMESPACE}-operator")
        # a watch that is open stays open: the operator has to ask anew
        cluster.kubectl("rollout", "restart", "deploy/operator")
        cluster.rolled_out("deploy/operator")
        wait_until("it is counted", lambda: metric(cluster, UNREACHABLE) == 1.0 or None, 60)
        begun, limit = time.monotonic(), 200
        while time.monotonic() - begun < FORBIDDEN_SECONDS:
            limit += 1
            apply(second, merchant("of-team-b", creditLimit=f"{limit}.00"))
            wait_for(second, "merchant", "of-team-b", LimitInSync=("True", "InSync"), Ready=("True", "Ready"))
            time.sleep(5)
        assert cluster.restarts("operator") == 0
        apply(first, merchant("of-team-a", creditLimit="130.00"))
        watch(cluster, *TEAMS)
        wait_for(first, "merchant", "of-team-a", 40, LimitInSync=("True", "InSync"), Ready=("True", "Ready"))
        wait_until("it is counted no more", lambda: metric(cluster, UNREACHABLE) == 0.0 or None, 60)
