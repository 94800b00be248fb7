"""Prometheus on the cluster: every component is scraped, and every panel and rule finds what it asks for."""

import sys
from collections.abc import Iterator

import promql
import pytest
from integration.api import ASYNC, Api, Merchant, new_key
from integration.waiting import wait_until

from etebar_deploy import images
from etebar_observability import runbooks
from etebar_observability.empty import EMPTY
from etebar_observability.promtool import check_rules

from .cluster import NAME, REPOSITORY, Cluster, CommandError, load_images, run
from .expressions import expanded, operands
from .objects import WITH_THRESHOLD, apply, merchant, ready, shown
from .prometheus import Prometheus, observed

COMPONENTS = {
    *("core-web", "core-worker", "core-beat", "core-webhooks", "core-internal"),
    *("settlement", "operator", "postgresql", "redis"),
}
PANELS, RULES = list(promql.of_panels()), list(promql.of_rules())
EXPORTERS = {"metrics-pgbouncer", "metrics-postgresql", "metrics-redis"}
LOAD_CHART = REPOSITORY / "charts" / "etebar-loadtest"
LOAD_SECONDS = 60
# fails while settlement's database is away; core asks settlement nothing when its own is
ASK_SETTLEMENT = """
import contextlib, uuid
from payments.withdrawals.settlement_client import SettlementError, settlement_client
with contextlib.suppress(SettlementError):
    settlement_client().lookup([uuid.uuid4()])
"""


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster) -> Iterator[Prometheus]:
    with observed(cluster, *WITH_THRESHOLD) as found:
        yield found


def install_load(cluster: Cluster, *arguments: str) -> str:
    chosen = ("--set", f"image.tag={cluster.tag}", "--set", "target.host=http://traefik.traefik")
    return cluster.helm("install", "load", str(LOAD_CHART), *chosen, *arguments)


class TestTargets:
    def test_are_all_up(self, prometheus: Prometheus) -> None:
        def down() -> dict[str, str]:
            return {name: health for name, health in prometheus.targets().items() if health != "up"}

        def up() -> set[str]:
            metrics = [each["metric"] for each in prometheus.query("up == 1")]
            return {metric.get(label, "") for metric in metrics for label in ("component", "container")}

        wait_until("every component is up", lambda: up() >= COMPONENTS | EXPORTERS or None, 90)
        wait_until("none is down", lambda: not down() or None, 90)


class TestALoadTest:
    def test_is_refused_by_a_release_that_is_not_marked(self, cluster: Cluster) -> None:
        cluster.kubectl("annotate", "service", "core", "etebar.dev/load-test-")
        try:
            with pytest.raises(CommandError, match="is not marked as a test"):
                install_load(cluster)
        finally:
            cluster.kubectl("annotate", "service", "core", "etebar.dev/load-test=allowed")

    def test_through_the_ingress_ends_in_verified_books(
        self, cluster: Cluster, prometheus: Prometheus, api: Api
    ) -> None:
        make_loadtest_image(cluster)
        size = ("--set", "users=60,spawnRate=60", "--set", f"runTime={LOAD_SECONDS}s", "--set", "tokens.count=500")
        install_load(cluster, *size, "--set", "seed=true")
        try:
            wait_until("it runs", lambda: prometheus.value("sum(locust_users)") > 0 or None, 180)
            cause_of_everything(api)
            faults(cluster)
            cluster.kubectl("wait", "--for=condition=Complete", "--timeout=5m", "job/load-report-1", seconds=320)
        finally:
            printed = cluster.kubectl("logs", "job/load-report-1", "--tail=20")
            sys.stdout.write(printed)
        assert printed.rstrip().endswith("books verified")

    def test_and_what_goes_wrong_beside_it_was_seen(self, prometheus: Prometheus) -> None:
        assert prometheus.value("sum(increase(locust_requests_total[10m]))") > 0
        assert prometheus.value("sum(max_over_time(locust_workers[10m]))") >= 2

    def test_wakes_nobody(self, prometheus: Prometheus) -> None:
        """Its few deleted pods and unknown outcomes are what the platform is for."""
        assert prometheus.alerts() == set()


class TestFaults:
    """What a load test must not have in it, and panels show: 5xx, an operator without core, objects that wait."""

    def test_of_postgresql_are_told_with_503(self, cluster: Cluster, prometheus: Prometheus, api: Api) -> None:
        merchant = api.merchant()
        cluster.kubectl("scale", "statefulset/postgresql", "--replicas=0")
        try:
            wait_until("core and settlement tell it", lambda: both_told(cluster, prometheus, merchant), 120)
        finally:
            cluster.kubectl("scale", "statefulset/postgresql", "--replicas=1")
        wait_until("core serves again", lambda: merchant.withdraw().status_code == 201 or None, 90)

    def test_of_objects_are_counted(self, cluster: Cluster, prometheus: Prometheus, api: Api) -> None:
        cluster.kubectl("create", "secret", "generic", "seen-owned-credentials", "--from-literal=password=mine")
        apply(cluster, merchant("seen-large", creditLimit="6000.00"), merchant("seen-drifted", driftPolicy="Report"))
        apply(cluster, merchant("seen-owned"))
        ready(cluster, ["seen-drifted"], 60)
        number = shown(cluster, "merchant", "seen-drifted")["status"]["merchantId"]
        api.must("POST", "/admin/credit-limit", {"merchant_id": number, "credit_limit": "70.00"}, api.admin)
        cluster.kubectl("scale", "deploy/core-internal", "--replicas=0")
        try:
            failing = "sum(rate(etebar_onboarding_errors_total[1m]))"
            wait_until("the operator is without core", lambda: prometheus.value(failing) > 0 or None, 120)
        finally:
            cluster.kubectl("scale", "deploy/core-internal", "--replicas=1")
        for condition, status in (("PendingApproval", "True"), ("Drifted", "True"), ("CredentialsIssued", "False")):
            counted = f'sum(etebar_onboarding_objects{{condition="{condition}", status="{status}"}})'
            wait_until(f"{condition} is seen", lambda counted=counted: prometheus.value(counted) > 0 or None, 120)


def both_told(cluster: Cluster, prometheus: Prometheus, merchant: Merchant) -> bool:
    """Whether core and settlement have been seen to answer 503; asks both again."""
    merchant.withdraw()
    cluster.execute("deploy/core-web", "python", "manage.py", "shell", "-c", ASK_SETTLEMENT, container="web")
    # not its increase: what appears with its first value has not risen
    told = prometheus.query('sum by (component) (etebar_http_requests_total{status="503"})')
    return {each["metric"].get("component") for each in told} >= {"core-web", "settlement"}


def make_loadtest_image(cluster: Cluster) -> None:
    """Built here, and in the nodes, under the tag that the platform runs."""
    run("make", "-C", REPOSITORY, "images", "ARGS=loadtest", seconds=600)
    built = f"etebar-loadtest:{images.tag()}"
    run("docker", "tag", built, f"etebar-loadtest:{cluster.tag}")
    load_images(f"etebar-loadtest:{cluster.tag}")


def cause_of_everything(api: Api) -> None:
    """One of each thing that is counted: refusals, replays, unknown outcomes, wrong requests."""
    api.must("POST", "/admin/pool/topup", {"amount": "1000.00"}, api.admin)
    merchant = api.merchant(limit="20.00")
    key = new_key()
    for amount in ("5.00", "5.00", "6.00"):
        merchant.withdraw(amount, key)
    merchant.withdraw("100.00")
    merchant.withdraw("1.00", **ASYNC)
    for account in ("IRTESTREFUSED0000001", "IRTESTTIMEOUT0000001", "IRTESTERROR000000001", "IRTESTGARBLED0000001"):
        api.merchant(account=account).withdraw("1.00")
    items = [{"idempotency_key": new_key(), "amount": "1.00"} for _ in range(3)]
    api.send("POST", "/withdrawals/bulk", {"withdrawals": items}, merchant.token)
    api.send("GET", "/no-such-path")


def faults(cluster: Cluster) -> None:
    """A pod of settlement and one of core are deleted under the load."""
    for component in ("settlement", "core-web"):
        cluster.kubectl("delete", "pod", cluster.pods(component)[0]["metadata"]["name"], "--wait=false")


class TestEveryExpression:
    """After that load, with a fault in it."""

    @pytest.mark.parametrize("expression", PANELS, ids=lambda each: each.where)
    def test_of_a_panel_finds_data(self, prometheus: Prometheus, expression: promql.Expression) -> None:
        self.assert_found(prometheus, expression, [expanded(expression.text)])

    @pytest.mark.parametrize("expression", RULES, ids=lambda each: each.where)
    def test_of_a_rule_finds_what_it_compares(self, prometheus: Prometheus, expression: promql.Expression) -> None:
        self.assert_found(prometheus, expression, operands(expression.text))

    @staticmethod
    def assert_found(prometheus: Prometheus, expression: promql.Expression, texts: list[str]) -> None:
        empty = [text for text in texts if not prometheus.found_lately(text)]
        if expression.where in EMPTY:
            return
        assert empty == []

    def test_that_may_find_nothing_is_one_that_there_is(self) -> None:
        assert EMPTY.keys() <= {each.where for each in [*PANELS, *RULES]}


class TestRules:
    def test_are_what_promtool_takes_and_each_fires_and_is_silent_when_it_should(self) -> None:
        assert "SUCCESS" in check_rules()

    def test_are_all_evaluated(self, prometheus: Prometheus) -> None:
        assert [rule["name"] for rule in prometheus.rules() if rule["health"] == "err"] == []


ON_THIS_CLUSTER = f"""
kubectl() {{ command kubectl --context kind-{NAME} "$@"; }}
helm() {{ command helm --kube-context kind-{NAME} "$@"; }}
"""


class TestRunbooks:
    @pytest.mark.parametrize("name", runbooks.reading_commands())
    def test_have_commands_that_work(self, cluster: Cluster, name: str) -> None:
        del cluster
        for commands in runbooks.blocks(name, "sh"):
            run("bash", "-euc", f"{ON_THIS_CLUSTER}\n{commands}", seconds=120)


class TestTheBooks:
    def test_agree_after_all_of_it(self, cluster: Cluster) -> None:
        cluster.assert_books_agree()
