"""What the pages for newcomers tell people to type on kind is typed, in order, and prints what they say."""

import json
import os
import re
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from pages import Block, Printed, blocks_of, text_of, type_in_one_shell

from .cluster import ADDRESS, NAME, REPOSITORY, Cluster, run

TUTORIAL = "docs/tutorial.md"
FROM_THE_SEED = "docs/how-to/from-the-seed.md"
PAGES_ADDRESS = "127.0.0.1:8080"
# whom the pages make; some are there when they were typed before, or a load test has seeded
PEOPLE = ("m1", "shop", "nasrin", "boss")
SUFFIX = uuid.uuid4().hex[:6]
# the cluster is there, and stays
OF_THE_CLUSTER = re.compile(r"git clone \S+ etebar|cd etebar|make kind-(up|down)")


def is_of_the_cluster(block: Block) -> bool:
    return all(OF_THE_CLUSTER.fullmatch(line) for line in block.typed.splitlines())


@pytest.fixture
def environ(cluster: Cluster, tmp_path: Path) -> Mapping[str, str]:
    """As the pages have it: kubectl's context is the cluster."""
    config = tmp_path / "kubeconfig"
    view = ("config", "view", "--minify", "--flatten")
    config.write_text(run("kubectl", "--context", f"kind-{NAME}", *view))
    config.chmod(0o600)
    return {**os.environ, "KUBECONFIG": str(config)}


def adapted(block: Block) -> Block:
    """With this run's people, and the address that the cluster has here."""
    names = {name: f"{name}-{SUFFIX}" for name in PEOPLE}
    return block.renamed({**names, PAGES_ADDRESS: "{}:{}".format(*ADDRESS)})


def type_page(
    page: str, environ: Mapping[str, str], not_typed: Sequence[str] = ()
) -> tuple[list[Block], list[Printed]]:
    """The blocks that were typed, all but those that end with the lines of `not_typed`, and what they printed."""
    found = blocks_of(text_of(page))
    assert [each.typed.splitlines()[-1] for each in found if is_of_the_cluster(each)] == list(not_typed)
    blocks = [adapted(each) for each in found if not is_of_the_cluster(each)]
    printed = type_in_one_shell(blocks, REPOSITORY, environ)
    # where the minutes go
    for block, each in sorted(zip(blocks, printed, strict=True), key=lambda both: -both[1].seconds)[:8]:
        sys.stdout.write(f"{each.seconds:6.1f} s  {block.typed.splitlines()[0]}\n")
    return blocks, printed


def assert_as_shown(blocks: list[Block], printed: list[Printed]) -> None:
    wrong = [
        f"{block.typed}should print\n{block.shown}but prints\n{each.text}"
        for block, each in zip(blocks, printed, strict=True)
        if not block.is_as_shown(each.text)
    ]
    assert not wrong, "\n".join(wrong)


def installation(cluster: Cluster) -> dict[str, object]:
    """What a page could leave changed: values, pods, how many there are, policies, the roles' settings."""
    settings = "SELECT rolname, rolconfig FROM pg_roles WHERE rolconfig IS NOT NULL ORDER BY 1"
    workloads = [*cluster.get("deployments"), *cluster.get("statefulsets")]
    return {
        "values": json.loads(cluster.helm("get", "values", "etebar", "--output", "json")),
        "pods": {
            each["metadata"]["name"]: (each["spec"]["replicas"], each["spec"]["template"]["spec"]) for each in workloads
        },
        "policies": sorted(each["metadata"]["name"] for each in cluster.get("networkpolicies")),
        "roles": cluster.sql("postgres", settings),
    }


class TestTheTutorial:
    def test_leads_to_a_webhook(
        self, cluster: Cluster, environ: Mapping[str, str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        blocks, printed = type_page(TUTORIAL, environ, not_typed=["make kind-up", "make kind-down"])
        assert_as_shown(blocks, printed)
        seconds = sum(each.seconds for each in printed)
        with capsys.disabled():
            sys.stdout.write(f"\n{tutorial_took(seconds, cluster.made_in_seconds)}\n")


def tutorial_took(seconds: float, kind_up: float | None) -> str:
    if kind_up is None:
        return f"tutorial: {seconds:.0f} s without make kind-up, which this run did not do"
    return f"tutorial: {seconds + kind_up:.0f} s, of which make kind-up {kind_up:.0f} s"


class TestFromTheSeed:
    """It seeds: whatever was in the books is gone after it."""

    def test_prints_what_it_says_and_leaves_the_installation_as_it_was(
        self, cluster: Cluster, environ: Mapping[str, str]
    ) -> None:
        before = installation(cluster)
        assert_as_shown(*type_page(FROM_THE_SEED, environ))
        assert installation(cluster) == before
        cluster.assert_books_agree()
