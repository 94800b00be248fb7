"""What takes longer: PgBouncer as a Deployment, the owner's own database settings, pods killed at random."""

import random
import time
from pathlib import Path

from integration.api import Api
from integration.waiting import wait_until

from e2e.cluster import RELEASE, Cluster
from e2e.load import assert_true, steady_load
from e2e.strangers import reach

REPLICATED = ("core-web", "core-worker", "settlement", "pgbouncer")
KILLS = 24
BETWEEN_SECONDS = (2.0, 8.0)


class TestPgBouncerAsADeployment:
    def test_is_changed_to_without_a_lie(self, cluster: Cluster, api: Api, tmp_path: Path) -> None:
        cluster.upgrade()
        # the policies change at once and the pods one after the other: the old ones answer 503 for a while
        with steady_load(api, tmp_path) as load:
            cluster.upgrade(None, "--set", "pgbouncer.mode=deployment")
        assert_true(cluster, load)
        assert "pgbouncer (pgbouncer:6432) is open" in cluster.helm("test", RELEASE, "--logs", "--timeout", "4m")

    def test_is_reached_by_core_and_by_no_stranger(self, cluster: Cluster, strangers: dict[str, Cluster]) -> None:
        addresses = {"service": f"pgbouncer.{cluster.namespace}:6432"}
        addresses |= {"pod": f"{cluster.pods('pgbouncer')[0]['status']['podIP']}:6432"}
        assert reach(cluster, "deploy/core-web", addresses, "web") == dict.fromkeys(addresses, True)
        assert reach(cluster, "deploy/settlement", addresses) == dict.fromkeys(addresses, False)
        for each in strangers.values():
            assert reach(each, "stranger", addresses) == dict.fromkeys(addresses, False)
        cluster.kubectl("delete", "networkpolicies", "--all")
        try:
            for each in strangers.values():
                wait_until("strangers get through", lambda each=each: all(reach(each, "stranger", addresses).values()))
        finally:
            cluster.upgrade(None, "--set", "pgbouncer.mode=deployment")

    def test_is_restarted_without_a_lie(self, cluster: Cluster, api: Api, tmp_path: Path) -> None:
        with steady_load(api, tmp_path) as load:
            cluster.kubectl("rollout", "restart", "deployment/pgbouncer")
            cluster.rolled_out("deployment/pgbouncer")
        assert_true(cluster, load)


class TestPodsKilledAtRandom:
    def test_make_nobody_a_liar(self, cluster: Cluster, api: Api, tmp_path: Path) -> None:
        seed = time.time_ns() % 1_000_000
        chance = random.Random(seed)  # noqa: S311 - a run that can be repeated
        with steady_load(api, tmp_path) as load:
            for _ in range(KILLS):
                time.sleep(chance.uniform(*BETWEEN_SECONDS))
                pod = chance.choice(cluster.pods(chance.choice(REPLICATED)))["metadata"]["name"]
                cluster.kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")
            for component in REPLICATED:
                cluster.wait_until_ready(component, 2)
        print(f"seed {seed}")  # noqa: T201 - to repeat the run by
        assert_true(cluster, load)
