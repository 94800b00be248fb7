"""A fresh cluster, `make kind-up`: the platform serves through the ingress, and nothing in it is privileged."""

import json
import sys
from pathlib import Path

import httpx2
import pypdfium2
import pytest
from integration.api import Api, assert_problem, new_key

from etebar_deploy import images
from etebar_quickstart import paths

from .cluster import ADDRESS, RELEASE, Cluster, CommandError, run

PUBLIC = f"http://{ADDRESS[0]}:{ADDRESS[1]}"


class TestTheRelease:
    def test_passes_its_own_tests(self, cluster: Cluster) -> None:
        printed = cluster.helm("test", RELEASE, "--logs", "--timeout", "4m")
        assert "ok it withdraws 4.00" in printed
        assert "settlement (settlement:9000) is closed" in printed
        assert "settlement (settlement:9000) is open" in printed

    def test_is_admitted_under_the_restricted_pod_security(self, cluster: Cluster) -> None:
        (namespace,) = cluster.get("namespaces", "--field-selector", f"metadata.name={cluster.namespace}")
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
        warned = [each["message"] for each in cluster.get("events") if "PodSecurity" in each.get("message", "")]
        assert warned == []
        assert cluster.ready("core-web") == 2

    def test_restarted_nothing_on_the_way(self, cluster: Cluster) -> None:
        restarts = {
            f"{pod['metadata']['name']}/{status['name']}": status["restartCount"]
            for pod in cluster.get("pods")
            for status in pod["status"].get("containerStatuses", [])
        }
        assert {name: count for name, count in restarts.items() if count} == {}

    def test_changes_nothing_when_it_is_upgraded_to_itself(self, cluster: Cluster) -> None:
        before = {each["metadata"]["name"] for each in cluster.get("pods", "--field-selector", "status.phase=Running")}
        secrets = {name: cluster.secret(name) for name in ("etebar-core", "etebar-internal-token", "etebar-admin")}
        cluster.upgrade()
        after = {each["metadata"]["name"] for each in cluster.get("pods", "--field-selector", "status.phase=Running")}
        assert after == before
        assert {name: cluster.secret(name) for name in secrets} == secrets

    @pytest.mark.parametrize("name", ["etebar-account-key", "etebar-fingerprint"])
    def test_is_not_upgraded_without_a_key_that_its_data_was_made_with(self, cluster: Cluster, name: str) -> None:
        """Another one would take its place, and nobody would read an account number any more."""
        kept = json.loads(cluster.kubectl("get", "secret", name, "-o", "json"))
        kept["metadata"] = {each: kept["metadata"][each] for each in ("name", "labels", "annotations")}
        cluster.kubectl("delete", "secret", name)
        try:
            with pytest.raises(CommandError, match=f"The Secret {name} is gone"):
                cluster.upgrade()
        finally:
            cluster.kubectl("create", "-f", "-", text=json.dumps(kept))


class TestTheImages:
    @pytest.mark.parametrize("name", images.of_chart("etebar"))
    def test_have_labels_no_root_and_no_compiler(self, cluster: Cluster, name: str) -> None:
        (found,) = json.loads(run("docker", "image", "inspect", f"etebar-{name}:{cluster.tag}"))
        labels = found["Config"]["Labels"]
        told = {
            word: labels[f"org.opencontainers.image.{word}"] for word in ("title", "version", "revision", "created")
        }
        assert told["title"] == f"etebar-{name}"
        assert all(told.values())
        assert found["Config"]["User"] == "10001:10001"
        shell = ("docker", "run", "--rm", "--network=none", "--entrypoint", "sh", f"etebar-{name}:{cluster.tag}")
        assert run(*shell, "-c", "command -v cc gcc g++ clang ld make || true") == ""

    def test_of_core_is_under_250_mb(self, cluster: Cluster) -> None:
        (found,) = json.loads(run("docker", "image", "inspect", f"etebar-core:{cluster.tag}"))
        assert found["Size"] < 250e6

    def test_have_bills_of_debians_packages_too(self, cluster: Cluster, tmp_path: Path) -> None:
        chosen = [f"etebar-{name}:{cluster.tag}" for name in ("core", "pgbouncer")]
        run(sys.executable, paths.REPOSITORY / "locks" / "sbom.py", tmp_path, *chosen)
        core, pgbouncer = (
            {
                each["purl"].split("@")[0]
                for each in json.loads((tmp_path / f"{name}.cdx.json").read_text())["components"]
            }
            for name in ("etebar-core", "etebar-pgbouncer")
        )
        assert {"pkg:deb/debian/python3.13", "pkg:deb/debian/libc6", "pkg:pypi/django"} <= core
        assert "pkg:deb/debian/pgbouncer" in pgbouncer


class TestAMerchant:
    def test_withdraws_through_the_ingress(self, api: Api) -> None:
        merchant = api.merchant(limit="100.00")
        key = new_key()
        first = merchant.withdraw("40.00", key)
        assert (first.status_code, first.json()["state"]) == (201, "settled")
        again = merchant.withdraw("40.00", key)
        assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")
        assert_problem(merchant.withdraw("61.00"), 409, "insufficient_credit")
        assert merchant.used() == "40.00"

    def test_gets_a_persian_statement_on_paper(self, api: Api) -> None:
        merchant = api.merchant(limit="100.00")
        month = merchant.withdraw("12.50").json()["created_at"][:7]
        path = f"/statements/{month}?form=pdf&language=fa"
        file = api.send("GET", path, headers=merchant.token).content
        [page] = pypdfium2.PdfDocument(file)
        assert "رزرو ۱ ۱۲٫۵۰" in page.get_textpage().get_text_range()

    def test_is_asked_for_a_token(self) -> None:
        assert_problem(httpx2.get(f"{PUBLIC}/api/v1/me"), 401, "not_authenticated")


class TestTheIngress:
    def test_has_nothing_but_what_is_public(self) -> None:
        routed = {
            path: "application/problem+json" in answer.headers.get("Content-Type", "") or answer.status_code < 400
            for path in ("/api/docs", "/admin/login/", "/healthz", "/readyz", "/metrics", "/internal/v1/merchants", "/")
            for answer in [httpx2.get(f"{PUBLIC}{path}")]
        }
        assert routed == {
            "/api/docs": True,
            "/admin/login/": True,
            "/healthz": False,
            "/readyz": False,
            "/metrics": False,
            "/internal/v1/merchants": False,
            "/": False,
        }
