"""The cluster is changed while merchants withdraw: nobody is told what is not so, and nobody gets an error of ours."""

from pathlib import Path

import httpx2
import pytest
from integration.api import Api, Merchant, new_key
from integration.waiting import wait_until

from .cluster import NAME, REPOSITORY, Cluster, CommandError, follow, load_images, run
from .load import assert_true, steady_load

MIGRATION = """from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("payments", "{before}")]
    operations = [migrations.RunSQL("{sql}")]
"""
EXPAND = "CREATE TABLE payments_e2e (id bigint PRIMARY KEY)"
FAILS = "SELECT 1 / 0"
REPLICATED = ("core-web", "core-worker", "settlement")
AWAY_SECONDS = 90.0


def next_version(cluster: Cluster, suffix: str, sql: str, directory: Path) -> str:
    """Images of core and settlement as of a next version, whose only change is one more migration, in the nodes."""
    tag = f"{cluster.tag}-{suffix}"
    before = max(each.stem for each in (REPOSITORY / "apps/core/payments/migrations").glob("0*.py"))
    migration = f"9999_{suffix}.py"
    (directory / migration).write_text(MIGRATION.format(before=before, sql=sql))
    copy = f"COPY {migration} /app/payments/migrations/{migration}"
    (directory / "Dockerfile").write_text(f"FROM etebar-core:{cluster.tag}\n{copy}\n")
    run("docker", "build", "--quiet", "--tag", f"etebar-core:{tag}", directory)
    run("docker", "tag", f"etebar-settlement:{cluster.tag}", f"etebar-settlement:{tag}")
    load_images(f"etebar-core:{tag}", f"etebar-settlement:{tag}")
    return tag


def of_applications(tag: str) -> tuple[str, ...]:
    """Helm's arguments that give core and settlement a new version, and nothing else."""
    return ("--set", f"image.tags.core={tag}", "--set", f"image.tags.settlement={tag}")


class TestUnderLoad:
    """In this order; each leaves the cluster whole."""

    def test_a_new_version_with_a_migration_is_rolled_out(self, cluster: Cluster, api: Api, tmp_path: Path) -> None:
        tag = next_version(cluster, "next", EXPAND, tmp_path)
        with steady_load(api, tmp_path) as load:
            cluster.upgrade(None, *of_applications(tag))
        assert cluster.sql("walletdb", "SELECT to_regclass('payments_e2e')::text AS name") == [["payments_e2e"]]
        images = {pod["spec"]["containers"][0]["image"] for pod in cluster.pods("core-web")}
        assert images == {f"etebar-core:{tag}"}
        assert load.faults == {}, load.summary
        assert_true(cluster, load)

    def test_a_version_whose_migration_fails_leaves_the_old_one_serving(
        self, cluster: Cluster, api: Api, tmp_path: Path
    ) -> None:
        tag = next_version(cluster, "broken", FAILS, tmp_path)
        before = {each["metadata"]["name"] for each in cluster.pods("core-web") if each["status"]["phase"] == "Running"}
        with steady_load(api, tmp_path) as load:
            with pytest.raises(CommandError):
                cluster.upgrade(None, *of_applications(tag), "--set", "migrations.backoffLimit=0", timeout="30s")
            load.go_on()
            still = {each["metadata"]["name"] for each in cluster.pods("core-web")}
            assert before <= still
            # back to the release before, whose database has a migration more than the first release knew
            cluster.helm("rollback", "etebar", "--wait", "--timeout", "4m")
        assert load.faults == {}, load.summary
        assert_true(cluster, load)

    def test_everything_is_restarted(self, cluster: Cluster, api: Api, tmp_path: Path) -> None:
        workloads = tuple(f"deployment/{name}" for name in (*REPLICATED, "core-beat", "redis"))
        with steady_load(api, tmp_path) as load:
            cluster.kubectl("rollout", "restart", *workloads)
            cluster.rolled_out(*workloads)
        assert load.faults == {}, load.summary
        assert_true(cluster, load)

    def test_a_pod_of_each_kind_is_deleted(self, cluster: Cluster, api: Api, tmp_path: Path) -> None:
        with steady_load(api, tmp_path) as load:
            for component in REPLICATED:
                cluster.kubectl("delete", "pod", cluster.pods(component)[0]["metadata"]["name"])
                cluster.wait_until_ready(component, 2)
                load.go_on()
        assert load.faults == {}, load.summary
        assert_true(cluster, load)

    def test_a_node_is_drained(self, cluster: Cluster, api: Api, tmp_path: Path) -> None:
        database = cluster.pods("postgresql")[0]["spec"]["nodeName"]
        workers = [f"{NAME}-worker", f"{NAME}-worker2"]
        (node,) = [each for each in workers if each != database]
        with steady_load(api, tmp_path) as load:
            try:
                cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=4m")
                load.go_on()
                for component in REPLICATED:
                    cluster.wait_until_ready(component, 2)
            finally:
                cluster.kubectl("uncordon", node)
        assert load.faults == {}, load.summary
        assert_true(cluster, load)

    def test_the_internal_token_is_rotated_as_the_runbook_says(
        self, cluster: Cluster, api: Api, tmp_path: Path
    ) -> None:
        before = cluster.secret("etebar-internal-token")["token"]
        with steady_load(api, tmp_path) as load:
            for _ in follow("rotate-internal-token.md"):
                load.go_on()
        after = cluster.secret("etebar-internal-token")
        assert after["token"] != before
        assert after["token-next"] == ""
        # pods that end still serve for a while
        wait_until("the old one is refused", lambda: refused(cluster, before) or None, 60)
        assert not refused(cluster, after["token"])
        assert load.faults == {}, load.summary
        assert_true(cluster, load)


def refused(cluster: Cluster, token: str) -> bool:
    """Whether settlement takes this token no more; asked from core."""
    ask = (
        "import sys, urllib3; print(urllib3.request('GET', 'http://settlement:9000/api/settlement/payouts',"
        " headers={'X-Internal-Token': sys.stdin.read()}).status)"
    )
    status = int(cluster.execute("deploy/core-web", "python", "-c", ask, container="web", text=token))
    assert status in {200, 403}
    return status == 403


class TestPostgresKilled:
    def test_is_told_by_core_itself_until_it_is_back(self, cluster: Cluster, api: Api, tmp_path: Path) -> None:
        merchant = api.merchant(limit="1000.00")
        web = {each["metadata"]["name"] for each in cluster.pods("core-web")}
        with steady_load(api, tmp_path) as load:
            cluster.kubectl("delete", "pod", "postgresql-0", "--grace-period=0", "--force", "--wait=false")
            told = wait_until("core tells it", lambda: unavailable(merchant), 30)
            assert cluster.ready("core-web") == 2
            wait_until("core serves again", lambda: merchant.withdraw().status_code == 201, AWAY_SECONDS)
        assert told.headers["Content-Type"] == "application/problem+json"
        assert int(told.headers["Retry-After"]) >= 1
        assert told.json()["code"] == "database_unavailable"
        assert {each["metadata"]["name"] for each in cluster.pods("core-web")} == web
        assert {status for status, _ in load.server_errors} <= {503}, load.summary
        assert_true(cluster, load)


def unavailable(merchant: Merchant) -> httpx2.Response | None:
    """A 503, if that is what is answered now."""
    answer = merchant.withdraw("1.00", new_key())
    return answer if answer.status_code == 503 else None
