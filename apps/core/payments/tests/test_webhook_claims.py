"""What a deliverer takes next: every endpoint and merchant has its part, and other deliverers have the rest."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from core.environment import ENVIRONMENT
from payments.models import Merchant, WebhookDelivery, WebhookEndpoint
from payments.tests.factories import make_merchant
from payments.tests.other_connection import connected
from payments.webhooks import claims
from payments.webhooks.claims import CLAIM, claim_parameters, deliveries_claim

pytestmark = pytest.mark.usefixtures("books")

PLACES = 32


@pytest.fixture(autouse=True)
def _places(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"webhook_concurrency": PLACES, "webhook_concurrency_per_endpoint": 8, "webhook_merchant_share": 0.25}
    monkeypatch.setattr(claims, "ENVIRONMENT", ENVIRONMENT.model_copy(update=values))


def endpoint_of(merchant: Merchant, **fields: Any) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(merchant=merchant, url=f"https://shop.example/{uuid4()}", **fields)


def due(endpoint: WebhookEndpoint, count: int = 1, *, seconds: float = 60.0) -> list[WebhookDelivery]:
    """Deliveries that have been due for so long, the first one longest."""
    since = timezone.now() - timedelta(seconds=seconds)
    return WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            endpoint=endpoint,
            event_id=f"test_{uuid4()}",
            type="webhook.test",
            occurred_at=since,
            created_at=since,
            next_attempt_at=since + timedelta(milliseconds=number),
        )
        for number in range(count)
    )


def by_endpoint(claimed: Sequence[WebhookDelivery]) -> Counter[UUID]:
    return Counter(each.endpoint_id for each in claimed)


class TestAMerchant:
    def test_with_ten_endpoints_that_hang_keeps_nobody_elses_event_waiting(self) -> None:
        merchant = make_merchant()
        for _ in range(10):
            due(endpoint_of(merchant), 20, seconds=3600)
        hanging = deliveries_claim(PLACES, {})
        assert len(hanging) == PLACES - PLACES // 4
        [event] = due(endpoint_of(make_merchant()), seconds=0)
        assert deliveries_claim(PLACES - len(hanging), by_endpoint(hanging)) == [event]

    def test_has_no_more_than_its_share_while_others_wait(self) -> None:
        merchants = [make_merchant() for _ in range(5)]
        for age, merchant in enumerate(merchants):
            for _ in range(10):
                due(endpoint_of(merchant), 20, seconds=3600 - age)
        claimed = deliveries_claim(PLACES, {})
        of_merchants = Counter(each.endpoint.merchant_id for each in claimed)
        assert of_merchants == {merchant.pk: PLACES // 4 for merchant in merchants[:4]}

    def test_that_has_its_share_on_its_way_comes_after_the_others(self) -> None:
        merchant, other = make_merchant(), make_merchant()
        due(endpoint_of(merchant), 8, seconds=3600)
        sending = deliveries_claim(PLACES, {})
        due(endpoint_of(merchant), 20, seconds=3600)
        events = due(endpoint_of(other), 4)
        claimed = deliveries_claim(4, by_endpoint(sending))
        assert {each.pk for each in claimed} == {each.pk for each in events}


class TestAnEndpoint:
    def test_gets_no_more_than_its_part_with_what_is_on_its_way(self) -> None:
        endpoint = endpoint_of(make_merchant())
        due(endpoint, 20)
        assert len(deliveries_claim(PLACES, {})) == 8
        assert len(deliveries_claim(PLACES, {endpoint.pk: 6})) == 2
        assert deliveries_claim(PLACES, {endpoint.pk: 8}) == []

    def test_gets_the_oldest_first(self) -> None:
        endpoint, other = (endpoint_of(make_merchant()) for _ in range(2))
        first, second, _ = due(endpoint, 3)
        [oldest] = due(other, seconds=3600)
        assert {each.pk for each in deliveries_claim(1, {})} == {oldest.pk}
        assert {each.pk for each in deliveries_claim(2, {})} == {first.pk, second.pk}

    def test_that_is_not_enabled_gets_nothing(self) -> None:
        due(endpoint_of(make_merchant(), state="disabled"))
        assert deliveries_claim(PLACES, {}) == []


class TestTwoDeliverers:
    @pytest.mark.parametrize("places", [1, 4])
    def test_share_one_endpoints_backlog_at_the_same_time(self, places: int) -> None:
        due(endpoint_of(make_merchant()), 20)
        with connected() as other, other.cursor() as cursor:
            cursor.execute(CLAIM, claim_parameters(places, {}))
            theirs = {row[0] for row in cursor.fetchall()}
            # theirs is not committed: what they have locked, and no more, is left to them
            ours = {each.pk for each in deliveries_claim(8, {})}
            other.commit()
        assert (len(theirs), len(ours), theirs & ours) == (places, 8, set())

    def test_share_endpoints_with_one_event_each_at_the_same_time(self) -> None:
        for _ in range(8):
            due(endpoint_of(make_merchant()))
        with connected() as other, other.cursor() as cursor:
            cursor.execute(CLAIM, claim_parameters(4, {}))
            theirs = {row[0] for row in cursor.fetchall()}
            ours = {each.pk for each in deliveries_claim(4, {})}
            other.commit()
        assert len(theirs | ours) == 8


class TestTheStatement:
    def test_finds_what_is_due_by_its_index(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            # the tables of a test are small enough to be read whole
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {CLAIM}", claim_parameters(PLACES, {}))
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert plan.count("using webhook_due") == 4
        assert "Seq Scan" not in plan
