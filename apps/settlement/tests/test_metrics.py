"""What settlement counts, read as Prometheus reads it."""

import httpx2
import pytest
from prometheus_client import REGISTRY
from settlement_helpers import BATCH, PAYOUTS, WITHDRAW, withdrawal


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


class TestPayouts:
    @pytest.mark.parametrize(
        ("account", "outcome"),
        [("IRTEST0000000000001", "paid"), ("IRTESTREFUSED0000001", "refused"), ("IRTESTTIMEOUT0000001", "unknown")],
    )
    async def test_are_counted_by_what_the_rail_answered(
        self, client: httpx2.AsyncClient, account: str, outcome: str
    ) -> None:
        labels = {"rail": "sandbox", "call": "pay", "outcome": outcome}
        before = value("etebar_payouts_total", **labels)
        await client.post(WITHDRAW, json=withdrawal(account=account))
        assert value("etebar_payouts_total", **labels) == before + 1
        assert value("etebar_payouts_in_flight") == 0

    async def test_are_asked_about_when_they_are_repeated(self, client: httpx2.AsyncClient) -> None:
        labels = {"rail": "sandbox", "call": "status", "outcome": "paid"}
        before = value("etebar_payouts_total", **labels)
        body = withdrawal(account="IRTESTTIMEOUT0000001")
        for _ in range(2):
            await client.post(WITHDRAW, json=body)
        assert value("etebar_payouts_total", **labels) == before + 1
        assert value("etebar_rail_call_duration_seconds_count", rail="sandbox", call="status") >= 1

    async def test_of_other_content_under_a_known_id_are_counted(self, client: httpx2.AsyncClient) -> None:
        before = value("etebar_payouts_conflicts_total")
        body = withdrawal(amount="1.00")
        await client.post(WITHDRAW, json=body)
        assert (await client.post(WITHDRAW, json=body | {"amount": "2.00"})).status_code == 409
        assert value("etebar_payouts_conflicts_total") == before + 1


class TestRequests:
    async def test_are_counted_by_their_routes_template(self, client: httpx2.AsyncClient) -> None:
        route = f"{PAYOUTS}/{{withdrawal_id:uuid}}"
        before = value("etebar_http_requests_total", method="GET", route=route, status="404")
        await client.get(f"{PAYOUTS}/0189c0de-0000-7000-8000-000000000000")
        assert value("etebar_http_requests_total", method="GET", route=route, status="404") == before + 1

    async def test_without_a_route_or_a_method_that_is_known_are_counted_together(
        self, client: httpx2.AsyncClient
    ) -> None:
        before = value("etebar_http_requests_total", method="other", route="unmatched", status="404")
        await client.request("BREW", "/a/path/of/my/own")
        assert value("etebar_http_requests_total", method="other", route="unmatched", status="404") == before + 1

    async def test_that_are_probes_are_not_counted(self, client: httpx2.AsyncClient) -> None:
        await client.get("/healthz")
        assert value("etebar_http_requests_total", method="GET", route="/healthz", status="200") == 0

    @pytest.mark.parametrize(("token", "reason"), [("", "missing"), ("not-the-token", "wrong")])
    async def test_without_the_token_are_counted(self, client: httpx2.AsyncClient, token: str, reason: str) -> None:
        before = value("etebar_internal_token_rejections_total", reason=reason)
        await client.post(BATCH, json={}, headers={"X-Internal-Token": token})
        assert value("etebar_internal_token_rejections_total", reason=reason) == before + 1
