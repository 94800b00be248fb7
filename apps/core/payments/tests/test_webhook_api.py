"""A merchant's webhooks: made, changed, tried, deleted."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from payments.models import WebhookDelivery, WebhookEndpoint
from payments.tests.factories import fund_pool, make_merchant, merchant_client, withdraw
from payments.tests.test_concurrent_withdrawals import all_at_once
from payments.webhooks import endpoints, retention

pytestmark = pytest.mark.usefixtures("books")

PATH = "/api/v1/webhooks"
URL = "https://shop.example/etebar"


@pytest.fixture
def client() -> APIClient:
    return merchant_client(make_merchant())


def create(client: APIClient, url: object = URL, **fields: Any) -> Any:
    return client.post(PATH, {"url": url, **fields}, format="json")


@pytest.fixture
def webhook(client: APIClient) -> str:
    return f"{PATH}/{create(client).json()['id']}"


class TestCreating:
    def test_answers_with_what_it_is(self, client: APIClient) -> None:
        made = create(client, event_types=["withdrawal.settled"], description="orders").json()
        told = {
            "url": URL,
            "description": "orders",
            "event_types": ["withdrawal.settled"],
            "state": "enabled",
            "state_reason": "",
            "failing_since": None,
            "dead": 0,
            "previous_secret_until": None,
        }
        assert {name: made[name] for name in told} == told
        assert client.get(f"{PATH}/{made['id']}").json() == made
        assert client.get(PATH).json() == {"results": [made]}

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"url": "http://10.0.0.1/"}, "url"),
            ({"url": "javascript:alert(1)"}, "url"),
            ({"url": "https://shop.example/ x"}, "url"),
            ({"url": 7}, "url"),
            ({"url": "https://" + "x" * 500}, "url"),
            ({"event_types": ["withdrawal.lost"]}, "event_types.0"),
            ({"event_types": "withdrawal.settled"}, "event_types"),
            ({"description": "a\nb"}, "description"),
            ({"secret": "mine"}, "secret"),
        ],
    )
    def test_names_what_is_wrong(self, client: APIClient, fields: dict[str, Any], wrong: str) -> None:
        answer = client.post(PATH, {"url": URL} | fields, format="json")
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == [wrong]
        assert not WebhookEndpoint.objects.exists()

    def test_repeats_its_answer_and_makes_one(self, client: APIClient) -> None:
        first, second = (
            client.post(PATH, {"url": URL}, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2)
        )
        assert (second.status_code, second.content) == (201, first.content)
        assert WebhookEndpoint.objects.count() == 1

    def test_takes_a_url_once(self, client: APIClient) -> None:
        made = create(client).json()
        again = create(client)
        assert (again.status_code, again.json()["code"]) == (409, "webhook_exists")
        assert again.json()["webhook_id"] == made["id"]
        client.delete(f"{PATH}/{made['id']}")
        assert create(client).status_code == 201

    def test_of_the_same_by_many_at_once_makes_one(self, client: APIClient) -> None:
        merchant = make_merchant()
        answers = all_at_once([lambda: create(merchant_client(merchant)) for _ in range(4)])
        assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]

    def test_of_too_many_is_refused(self, client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        few = endpoints.ENVIRONMENT.model_copy(update={"webhook_endpoints_per_merchant": 2})
        monkeypatch.setattr(endpoints, "ENVIRONMENT", few)
        answers = [create(client, f"{URL}/{number}") for number in range(3)]
        assert [each.status_code for each in answers] == [201, 201, 409]
        assert answers[2].json()["code"] == "webhook_limit"


class TestChanging:
    def test_changes_what_is_given(self, client: APIClient, webhook: str) -> None:
        before = client.get(webhook).json()
        changed = client.patch(webhook, {"description": "new", "url": f"{URL}/2"}, format="json")
        assert changed.json() == before | {"description": "new", "url": f"{URL}/2"}

    def test_to_another_url_forgets_that_it_failed(self, client: APIClient, webhook: str) -> None:
        WebhookEndpoint.objects.update(failing_since=timezone.now())
        assert client.patch(webhook, {"url": URL}, format="json").json()["failing_since"] is not None
        assert client.patch(webhook, {"url": f"{URL}/2"}, format="json").json()["failing_since"] is None

    def test_disabled_it_keeps_no_events(self, client: APIClient, webhook: str) -> None:
        fund_pool()
        disabled = client.patch(webhook, {"enabled": False}, format="json").json()
        assert (disabled["state"], disabled["state_reason"]) == ("disabled", "by the merchant")
        withdraw(client)
        assert not WebhookDelivery.objects.exists()
        assert client.patch(webhook, {"enabled": True}, format="json").json()["state"] == "enabled"
        withdraw(client)
        assert WebhookDelivery.objects.count() == 2

    def test_takes_no_url_of_another(self, client: APIClient, webhook: str) -> None:
        create(client, f"{URL}/2")
        assert client.patch(webhook, {"url": f"{URL}/2"}, format="json").json()["code"] == "webhook_exists"
        assert client.patch(webhook, {"url": URL}, format="json").status_code == 200

    def test_to_nothing_is_no_change(self, client: APIClient, webhook: str) -> None:
        before = client.get(webhook).json()
        assert client.patch(webhook, {}, format="json").json() == before

    def test_deletes_it_with_its_secret(self, client: APIClient, webhook: str) -> None:
        client.post(f"{webhook}/test", {}, format="json")
        assert client.delete(webhook).status_code == 200
        assert client.get(webhook).status_code == 404
        assert client.delete(webhook).status_code == 404
        assert client.get(PATH).json() == {"results": []}
        assert WebhookEndpoint.objects.get().secret == ""
        assert retention.remove_old() == 0
        assert WebhookDelivery.objects.get().state == "dead"


class TestDeliveries:
    def test_of_a_test_is_sent_whatever_was_asked_for(self, client: APIClient) -> None:
        webhook = f"{PATH}/{create(client, event_types=['withdrawal.failed']).json()['id']}"
        answer = client.post(f"{webhook}/test", {}, format="json")
        assert (answer.status_code, answer.json()["type"]) == (202, "webhook.test")
        shown = client.get(f"{webhook}/deliveries/{answer.json()['id']}").json()
        assert shown == answer.json() | {"log": []}

    def test_that_are_not_there_are_not_found(self, client: APIClient, webhook: str) -> None:
        assert client.get(f"{webhook}/deliveries/1").status_code == 404
        assert client.post(f"{webhook}/deliveries/1/replay", {}, format="json").status_code == 404

    def test_that_are_pending_are_not_hurried(self, client: APIClient, webhook: str) -> None:
        made = client.post(f"{webhook}/test", {}, format="json").json()
        replayed = client.post(f"{webhook}/deliveries/{made['id']}/replay", {}, format="json")
        assert replayed.json() == {"replayed": 0}

    def test_of_a_disabled_webhook_are_not_promised(self, client: APIClient, webhook: str) -> None:
        made = client.post(f"{webhook}/test", {}, format="json").json()
        WebhookDelivery.objects.update(state="dead", finished_at=timezone.now(), next_attempt_at=None)
        client.patch(webhook, {"enabled": False}, format="json")
        for path in ("/test", "/replay", f"/deliveries/{made['id']}/replay"):
            refused = client.post(webhook + path, {}, format="json")
            assert (refused.status_code, refused.json()["code"]) == (409, "webhook_disabled")
        assert [each.state for each in WebhookDelivery.objects.all()] == ["dead"]
        client.patch(webhook, {"enabled": True}, format="json")
        assert client.post(f"{webhook}/replay", {}, format="json").json() == {"replayed": 1}

    def test_and_webhooks_of_others_are_not_found(self, client: APIClient, webhook: str) -> None:
        made = client.post(f"{webhook}/test", {}, format="json").json()
        other = merchant_client(make_merchant())
        for path in ("", "/secret", "/deliveries", f"/deliveries/{made['id']}"):
            assert other.get(webhook + path).status_code == 404
        for path in ("/secret/rotate", "/test", "/replay", f"/deliveries/{made['id']}/replay"):
            assert other.post(webhook + path, {}, format="json").status_code == 404
        assert other.patch(webhook, {"enabled": False}, format="json").status_code == 404
        assert other.delete(webhook).status_code == 404
