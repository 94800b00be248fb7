"""Real faults fire real alerts, and recovery clears them; how long each takes is printed."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from integration.api import ASYNC, Api
from integration.waiting import wait_until

from e2e.cluster import Cluster, CommandError
from e2e.prometheus import Prometheus, observed

FIRES_SECONDS, CLEARS_SECONDS = 420.0, 600.0


@pytest.fixture(scope="module")
def prometheus(cluster: Cluster) -> Iterator[Prometheus]:
    with observed(cluster) as found:
        yield found


def fires(prometheus: Prometheus, alert: str, begun: float) -> None:
    """Waits for it, and says how long it took since the fault."""
    wait_until(f"{alert} fires", lambda: alert in prometheus.alerts() or None, FIRES_SECONDS)
    sys.stdout.write(f"{alert} fired {time.monotonic() - begun:.0f} s after its fault\n")


def clears(prometheus: Prometheus, alert: str, begun: float) -> None:
    wait_until(f"{alert} clears", lambda: alert not in prometheus.alerts() or None, CLEARS_SECONDS)
    sys.stdout.write(f"{alert} was over {time.monotonic() - begun:.0f} s after its recovery\n")


@contextmanager
def fault(prometheus: Prometheus, alert: str, recover: Callable[[], object]) -> Iterator[None]:
    """The fault is the body; the alert fires, `recover` mends it, and the alert clears."""
    begun = time.monotonic()
    try:
        yield
        fires(prometheus, alert, begun)
    finally:
        recover()
    clears(prometheus, alert, time.monotonic())


class TestAFault:
    def test_of_the_books_is_told(self, cluster: Cluster, prometheus: Prometheus, api: Api) -> None:
        """A row that the tables' superuser forges, and takes back."""
        api.merchant().withdraw("1.00")

        def forge(change: str) -> None:
            statement = f"UPDATE payments_creditpool SET available_amount = available_amount {change} 1"
            script = f"SET session_replication_role = replica; {statement}"
            cluster.execute("postgresql-0", "psql", "-U", "postgres", "-d", "walletdb", "-c", script)

        with fault(prometheus, "EtebarBooksDiffer", lambda: forge("-")):
            forge("+")

    def test_of_a_drained_pool_is_told(self, cluster: Cluster, prometheus: Prometheus, api: Api) -> None:
        ((available,),) = cluster.sql("walletdb", "SELECT available_amount::text FROM payments_creditpool")
        merchant = api.merchant(limit=available)

        def refill() -> None:
            api.must("POST", "/admin/pool/topup", {"amount": "100000.00"}, api.admin)

        with fault(prometheus, "EtebarPoolBelowLowWater", refill):
            assert merchant.withdraw(f"{Decimal(available) - 10}").status_code == 201

    def test_of_settlement_being_away_is_told(self, cluster: Cluster, prometheus: Prometheus, api: Api) -> None:
        def back() -> None:
            cluster.kubectl("scale", "deploy/settlement", "--replicas=2")
            cluster.rolled_out("deploy/settlement")

        merchant = api.merchant()
        with fault(prometheus, "EtebarWithdrawalPendingLong", back):
            cluster.kubectl("scale", "deploy/settlement", "--replicas=0")
            # those that are about to end still pay
            of_settlement = ("--selector", "app.kubernetes.io/component=settlement")
            wait_until("settlement is away", lambda: not cluster.get("pods", *of_settlement) or None, 90)
            assert merchant.withdraw("1.00", **ASYNC).status_code == 202

    def test_of_a_wrong_token_is_told(self, cluster: Cluster, prometheus: Prometheus, api: Api) -> None:
        """Settlement is given another token than core."""
        own = cluster.secret("etebar-internal-token")

        def give(token: str) -> None:
            content = json.dumps({"stringData": {"token": token}})
            cluster.kubectl("patch", "secret", "etebar-internal-token", "--patch", content)
            cluster.kubectl("rollout", "restart", "deploy/settlement")
            cluster.rolled_out("deploy/settlement")

        merchant = api.merchant()
        with fault(prometheus, "EtebarSettlementRejectsToken", lambda: give(own["token"])):
            give("another-token-of-more-than-32-characters")
            assert merchant.withdraw("1.00").status_code == 202

    def test_leaves_books_that_agree(self, cluster: Cluster) -> None:
        pending = "SELECT count(*) AS n FROM payments_withdrawal WHERE state = 'pending'"
        wait_until("none is pending", lambda: cluster.sql("walletdb", pending) == [[0]] or None, 400)

        def agree() -> bool:
            # settlement's pods with the other token serve to their end
            try:
                cluster.assert_books_agree()
            except CommandError:
                return False
            return True

        wait_until("the books agree", agree, 90)
