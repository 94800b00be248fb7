"""Many objects at once and an operator that is killed again and again: the same end."""

import sys
import time

from e2e.cluster import Cluster, is_ready, run
from e2e.objects import apply, merchant, ready
from e2e.test_6_operator_breaks import CROWD, CROWD_SECONDS, assert_one_each

KILLS = 10
KILL_PAUSE_SECONDS = 6.0


def kill_operator(cluster: Cluster) -> None:
    """`kill -9` of its process, by the node; then another pod: the kubelet lets the same one wait longer each time."""
    for pod in cluster.pods("operator"):
        for status in pod["status"].get("containerStatuses", []):
            if "running" in status["state"]:
                container = status["containerID"].removeprefix("containerd://")
                kill = ("ctr", "--namespace", "k8s.io", "tasks", "kill", "--signal", "SIGKILL", container)
                run("docker", "exec", pod["spec"]["nodeName"], *kill)
    cluster.kubectl(
        "delete", "pod", "--selector", "app.kubernetes.io/component=operator", "--grace-period=0", "--force"
    )


class TestACrowd:
    def test_is_ready_once_each_however_often_the_operator_is_killed(self, cluster: Cluster) -> None:
        names = [f"crowd-{number:03}" for number in range(CROWD)]
        begun = time.monotonic()
        apply(cluster, *(merchant(name, creditLimit="1.00") for name in names))
        waiting = []
        for _ in range(KILLS):
            time.sleep(KILL_PAUSE_SECONDS)
            waiting.append(CROWD - sum(is_ready(each) for each in cluster.get("merchants")))
            kill_operator(cluster)
        ready(cluster, names, CROWD_SECONDS)
        # else it was killed when all was done
        assert waiting[0] > 0
        sys.stdout.write(f"not ready yet at each kill: {waiting}\n")
        sys.stdout.write(
            f"{CROWD} merchants were ready after {time.monotonic() - begun:.0f} s and {KILLS} kills of the operator\n"
        )
        assert_one_each(cluster, "crowd")
        cluster.assert_books_agree()
        cluster.kubectl("delete", "merchants", *names)
