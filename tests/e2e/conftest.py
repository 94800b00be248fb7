"""One cluster for the whole run: made by `make kind-up`, as a user makes it, and deleted at the end.

E2E_KEEP=1 takes a cluster that is there, with what is installed in it, and leaves it; E2E_CLUSTER and E2E_PORT name it.
"""

import os
import time
from collections.abc import Iterator

import pytest
from integration.api import Api

from .cluster import Cluster, make, running_tag
from .logs import LogKeeper
from .strangers import OUTSIDE, stranger


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if os.environ.get("E2E_KEEP") == "1":
        yield Cluster(running_tag())
        return
    # the user's own clusters are none of our business
    os.environ["KUBECONFIG"] = str(tmp_path_factory.mktemp("kind") / "config")
    # Helm keeps ten revisions: tests go back to the first
    os.environ["HELM_MAX_HISTORY"] = "0"
    make("kind-down")
    try:
        begun = time.monotonic()
        make("kind-up")
        seconds = time.monotonic() - begun
        yield Cluster(running_tag(), made_in_seconds=seconds)
    finally:
        make("kind-down")


@pytest.fixture(scope="session", autouse=True)
def logs(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogKeeper]:
    """Kept from the start of the run on."""
    del cluster
    keeper = LogKeeper(tmp_path_factory.mktemp("logs"))
    yield keeper
    keeper.close()


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[Api]:
    with cluster.api() as client:
        yield client


@pytest.fixture(scope="module")
def strangers(cluster: Cluster) -> Iterator[dict[str, Cluster]]:
    """A stranger in the release's namespace, and one in another."""
    outside = Cluster(cluster.tag, OUTSIDE)
    both = {"inside": cluster, "outside": outside}
    cluster.kubectl("create", "namespace", OUTSIDE)
    for each in both.values():
        each.kubectl("apply", "-f", "-", text=stranger(cluster.tag))
    for each in both.values():
        each.kubectl("wait", "--for=condition=Ready", "pod/stranger", "--timeout=2m")
    yield both
    cluster.kubectl("delete", "pod", "stranger", "--wait=false")
    cluster.kubectl("delete", "namespace", OUTSIDE, "--wait=false")
