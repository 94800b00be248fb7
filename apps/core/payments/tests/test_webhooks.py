"""Webhooks: every transition is told at least once, with one id, signed, whatever the receiver does."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import standardwebhooks
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from core.environment import ENVIRONMENT
from payments.dispatch.services import dispatch_due
from payments.models import Merchant, WebhookAttempt, WebhookDelivery, WebhookEndpoint, Withdrawal
from payments.tests import receivers
from payments.tests.factories import fund_pool, make_merchant, merchant_client, withdraw
from payments.tests.other_connection import connected
from payments.tests.receivers import Receiver, receiving
from payments.tests.test_concurrent_withdrawals import all_at_once
from payments.webhooks import (
    claims,
    deliverer,
    deliveries,
    endpoints,
    representation,
    retention,
    sender,
    signing,
    targets,
)
from payments.webhooks.claims import deliveries_claim
from payments.webhooks.deliverer import Deliverer
from payments.webhooks.deliveries import Result, deliveries_record
from payments.webhooks.sender import Sent

pytestmark = pytest.mark.usefixtures("books")

PATH = "/api/v1/webhooks"
MODULES = (claims, deliverer, deliveries, endpoints, retention, sender, targets)
LOOPBACK = {"webhook_allowed_networks": ["127.0.0.0/8"]}

Settings = Callable[..., None]


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Sets webhooks' settings; receivers on this host are allowed."""

    def use(**values: Any) -> None:
        made = ENVIRONMENT.model_copy(update=LOOPBACK | values)
        for module in MODULES:
            monkeypatch.setattr(module, "ENVIRONMENT", made)

    use()
    return use


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def merchant() -> Merchant:
    fund_pool()
    return make_merchant()


@pytest.fixture
def client(merchant: Merchant) -> APIClient:
    return merchant_client(merchant)


def subscribe(client: APIClient, url: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(PATH, {"url": url, **fields}, format="json")
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def deliver() -> None:
    """Until nothing is due."""
    working = Deliverer()
    while working.turn():
        pass
    working.close()


def due_now() -> None:
    WebhookDelivery.objects.filter(state="pending").update(next_attempt_at=timezone.now())


def log_of(client: APIClient, endpoint: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    return list(client.get(f"{PATH}/{endpoint['id']}/deliveries", query).json()["results"])


def attempts_of(client: APIClient, endpoint: dict[str, Any], delivery: dict[str, Any]) -> list[dict[str, Any]]:
    return list(client.get(f"{PATH}/{endpoint['id']}/deliveries/{delivery['id']}").json()["log"])


def secrets_of(client: APIClient, endpoint: dict[str, Any]) -> list[str]:
    return list(client.get(f"{PATH}/{endpoint['id']}/secret").json()["secrets"])


class TestEvents:
    def test_tell_every_transition(self, receiver: Receiver, client: APIClient) -> None:
        endpoint = subscribe(client, receiver.url)
        made = withdraw(client, "3.00").json()
        deliver()
        told = {each["type"]: each for each in map(json.loads, (each.body for each in receiver.received))}
        assert sorted(told) == ["withdrawal.pending", "withdrawal.settled"]
        assert told["withdrawal.settled"]["data"] == made
        assert told["withdrawal.settled"]["timestamp"] == made["finalized_at"]
        assert told["withdrawal.pending"]["data"] == made | {"state": "pending", "finalized_at": None}
        assert sorted(receiver.ids) == [f"wd_{made['id']}_pending", f"wd_{made['id']}_settled"]
        assert [each["state"] for each in log_of(client, endpoint)] == ["delivered", "delivered"]

    def test_tell_what_the_bank_refused(self, receiver: Receiver) -> None:
        fund_pool()
        client = merchant_client(make_merchant(account="IRTESTREFUSED001"))
        subscribe(client, receiver.url, event_types=["withdrawal.failed"])
        refused = withdraw(client).json()["withdrawal"]
        deliver()
        [told] = [json.loads(each.body) for each in receiver.received]
        assert (told["type"], told["data"]) == ("withdrawal.failed", refused)

    def test_tell_what_the_dispatcher_learned(self, receiver: Receiver, client: APIClient) -> None:
        subscribe(client, receiver.url)
        made = withdraw(client, Prefer="respond-async").json()["id"]
        deliver()
        assert receiver.ids == [f"wd_{made}_pending"]
        Withdrawal.objects.update(next_attempt_at=timezone.now())
        assert dispatch_due() == 1
        deliver()
        assert receiver.ids == [f"wd_{made}_pending", f"wd_{made}_settled"]

    def test_are_as_they_were_when_they_are_sent_late(self, receiver: Receiver, client: APIClient) -> None:
        subscribe(client, receiver.url)
        withdraw(client)
        first, second = sorted(deliverer.body_of(each) for each in WebhookDelivery.objects.select_related("withdrawal"))
        deliver()
        assert sorted(each.body for each in receiver.received) == [first, second]

    def test_of_a_refused_request_there_are_none(self, receiver: Receiver, client: APIClient) -> None:
        subscribe(client, receiver.url)
        assert withdraw(client, "1000.00").status_code == 409
        assert not WebhookDelivery.objects.exists()

    def test_go_to_the_merchant_they_are_about(self, receiver: Receiver, client: APIClient) -> None:
        subscribe(client, receiver.url)
        withdraw(merchant_client(make_merchant()))
        assert not WebhookDelivery.objects.exists()

    def test_are_of_the_types_that_were_asked_for(self, receiver: Receiver, client: APIClient) -> None:
        subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        assert [each.type for each in WebhookDelivery.objects.all()] == ["withdrawal.settled"]

    def test_go_to_each_endpoint_with_one_id(self, receiver: Receiver, client: APIClient) -> None:
        for path in ("a", "b"):
            subscribe(client, receiver.url + path, event_types=["withdrawal.settled"])
        withdraw(client)
        deliver()
        assert sorted(each.path for each in receiver.received) == ["/hooka", "/hookb"]
        assert len(set(receiver.ids)) == 1

    def test_are_rolled_back_with_what_they_tell(self, receiver: Receiver, client: APIClient) -> None:
        subscribe(client, receiver.url)
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "INSERT INTO payments_withdrawal (id, merchant_id, wallet_account_id, amount, state, accepted_limit,"
                " account_fingerprint, failure_code, created_at, attempts, next_attempt_at)"
                " SELECT gen_random_uuid(), m.id, a.id, 1, 'pending', 1, '', '', now(), 0, now()"
                " FROM payments_merchant m JOIN payments_walletaccount a ON a.merchant_id = m.id"
            )
            cursor.execute("SELECT count(*) FROM payments_webhookdelivery")
            assert cursor.fetchone() == (1,)
            cursor.execute("ROLLBACK")
        assert not WebhookDelivery.objects.exists()


class TestSignatures:
    def test_verify_with_an_independent_implementation(self, receiver: Receiver, client: APIClient) -> None:
        endpoint = subscribe(client, receiver.url)
        withdraw(client)
        deliver()
        [secret] = secrets_of(client, endpoint)
        for each in receiver.received:
            standardwebhooks.Webhook(secret).verify(each.body, each.headers)
            with pytest.raises(standardwebhooks.WebhookVerificationError):
                standardwebhooks.Webhook(secret).verify(each.body.replace(b"1.00", b"9.00"), each.headers)

    def test_are_two_while_a_secret_takes_the_others_place(
        self, receiver: Receiver, client: APIClient, settings: Settings
    ) -> None:
        endpoint = subscribe(client, receiver.url)
        [before] = secrets_of(client, endpoint)
        rotated = client.post(f"{PATH}/{endpoint['id']}/secret/rotate", {}, format="json")
        assert rotated.status_code == 200
        assert rotated.json()["previous_secret_until"] is not None
        after, other = secrets_of(client, endpoint)
        assert (other, after != before) == (before, True)
        client.post(f"{PATH}/{endpoint['id']}/test", {}, format="json")
        deliver()
        [received] = receiver.received
        for secret in (before, after):
            standardwebhooks.Webhook(secret).verify(received.body, received.headers)
        WebhookEndpoint.objects.update(previous_until=timezone.now())
        assert secrets_of(client, endpoint) == [after]

    def test_are_of_the_older_secret_and_the_newest_when_it_is_rotated_again(
        self, receiver: Receiver, client: APIClient
    ) -> None:
        endpoint = subscribe(client, receiver.url)
        [before] = secrets_of(client, endpoint)
        lost, again = (
            client.post(f"{PATH}/{endpoint['id']}/secret/rotate", {}, format="json").json() for _ in range(2)
        )
        assert again["previous_secret_until"] == lost["previous_secret_until"]
        newest, older = secrets_of(client, endpoint)
        assert (older, newest != before) == (before, True)
        WebhookEndpoint.objects.update(previous_until=timezone.now())
        client.post(f"{PATH}/{endpoint['id']}/secret/rotate", {}, format="json")
        assert secrets_of(client, endpoint)[1] == newest

    def test_secrets_do_not_stand_in_clear(self, receiver: Receiver, client: APIClient) -> None:
        endpoint = subscribe(client, receiver.url)
        [secret] = secrets_of(client, endpoint)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT e::text FROM payments_webhookendpoint e UNION ALL SELECT k::text FROM payments_idempotencykey k"
            )
            assert secret not in str(cursor.fetchall())

    def test_go_on_when_secrets_are_encrypted_anew(
        self, receiver: Receiver, client: APIClient, monkeypatch: Any
    ) -> None:
        endpoint = subscribe(client, receiver.url)
        before = secrets_of(client, endpoint)
        key = ENVIRONMENT.account_encryption_key.get_secret_value()
        new = signing.Cipher("another key " + "x" * 32, [key], purpose="webhook secret")
        monkeypatch.setattr(signing, "cipher", lambda: new)
        assert (endpoints.secrets_reencrypt(), endpoints.secrets_reencrypt()) == (1, 0)
        assert new.is_current(WebhookEndpoint.objects.get().secret)
        assert secrets_of(client, endpoint) == before


FAILING = {
    "fails": (receivers.status(500), "answered 500"),
    "hangs": (receivers.hangs(1.0), "no answer within 0.4 s"),
    "drips": (receivers.drips(2.0), "no answer within 0.4 s"),
    "redirects": (
        receivers.status(302, Location="http://127.0.0.1:1/elsewhere"),
        "answered 302, and redirects are not followed",
    ),
    "is busy": (receivers.status(429), "answered 429"),
    "says what is no HTTP": (receivers.says(b"\0\x1bgarbage\r\n\r\n"), "no answer: \ufffd\ufffdgarbage"),
}


class TestAReceiverThat:
    @pytest.mark.parametrize("case", FAILING)
    def test_fails_is_told_again_later_with_the_same_id(
        self, case: str, receiver: Receiver, client: APIClient, settings: Settings
    ) -> None:
        settings(webhook_timeout_seconds=0.4)
        receiver.answer, error = FAILING[case]
        endpoint = subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        started = time.monotonic()
        deliver()
        assert time.monotonic() - started < 1.5
        [delivery] = log_of(client, endpoint)
        [attempt] = attempts_of(client, endpoint, delivery)
        assert (delivery["state"], attempt["error"]) == ("pending", error)
        assert client.get(f"{PATH}/{endpoint['id']}").json()["failing_since"] is not None
        receiver.answer = receivers.status(204)
        due_now()
        deliver()
        [delivery] = log_of(client, endpoint)
        assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
        assert len(receiver.ids) == 2
        assert set(receiver.ids) == {delivery["event_id"]}
        assert client.get(f"{PATH}/{endpoint['id']}").json()["failing_since"] is None

    def test_sends_10_mb_is_not_listened_to(self, receiver: Receiver, client: APIClient) -> None:
        receiver.answer = receivers.sends(10)
        endpoint = subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        deliver()
        [delivery] = log_of(client, endpoint)
        assert delivery["state"] == "delivered"

    def test_is_not_there_is_told_later(self, receiver: Receiver, client: APIClient) -> None:
        endpoint = subscribe(client, "http://127.0.0.1:1/nobody", event_types=["withdrawal.settled"])
        withdraw(client)
        deliver()
        [delivery] = log_of(client, endpoint)
        [attempt] = attempts_of(client, endpoint, delivery)
        assert (attempt["status"], "Connection refused" in attempt["error"]) == (None, True)

    def test_asks_for_time_gets_it(self, receiver: Receiver, client: APIClient) -> None:
        receiver.answer = receivers.status(503, Retry_After="600")
        subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        deliver()
        assert WebhookDelivery.objects.get().next_attempt_at > timezone.now() + timedelta(seconds=590)

    def test_is_gone_is_disabled_and_hears_what_was_pending_when_it_is_back(
        self, receiver: Receiver, client: APIClient
    ) -> None:
        receiver.answer = receivers.status(410)
        endpoint = subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        deliver()
        shown = client.get(f"{PATH}/{endpoint['id']}").json()
        assert (shown["state"], shown["state_reason"]) == ("disabled", "the receiver answered 410 Gone")
        due_now()
        deliver()
        assert len(receiver.received) == 1
        receiver.answer = receivers.status(200)
        client.patch(f"{PATH}/{endpoint['id']}", {"enabled": True}, format="json")
        deliver()
        assert [each["state"] for each in log_of(client, endpoint)] == ["delivered"]

    def test_fails_for_days_is_disabled(self, receiver: Receiver, client: APIClient) -> None:
        receiver.answer = receivers.status(500)
        endpoint = subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        WebhookEndpoint.objects.update(failing_since=timezone.now() - timedelta(hours=121))
        withdraw(client)
        deliver()
        shown = client.get(f"{PATH}/{endpoint['id']}").json()
        assert (shown["state"], shown["state_reason"]) == ("disabled", "every attempt failed for 120 hours")

    def test_failed_days_ago_and_was_told_nothing_since_is_not_disabled(
        self, receiver: Receiver, client: APIClient, settings: Settings
    ) -> None:
        settings(webhook_attempts=1)
        receiver.answer = receivers.status(500)
        path = f"{PATH}/{subscribe(client, receiver.url, event_types=['withdrawal.settled'])['id']}"
        for number in (1, 2):
            withdraw(client)
            deliver()
            shown = client.get(path).json()
            assert (shown["state"], shown["dead"], shown["failing_since"]) == ("enabled", number, None)

    def test_is_still_to_be_told_something_fails_since_the_first_time(
        self, receiver: Receiver, client: APIClient, settings: Settings
    ) -> None:
        receiver.answer = receivers.status(503, Retry_After="600")
        path = f"{PATH}/{subscribe(client, receiver.url, event_types=['withdrawal.settled'])['id']}"
        for attempts in (17, 1):
            settings(webhook_attempts=attempts)
            withdraw(client)
            deliver()
        assert [each.state for each in WebhookDelivery.objects.order_by("pk")] == ["pending", "dead"]
        assert client.get(path).json()["failing_since"] is not None

    def test_never_takes_it_is_given_up_and_can_be_told_again(
        self, receiver: Receiver, client: APIClient, settings: Settings
    ) -> None:
        settings(webhook_attempts=2)
        receiver.answer = receivers.status(500)
        endpoint = subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        for _ in range(3):
            due_now()
            deliver()
        assert len(receiver.received) == 2
        [dead] = log_of(client, endpoint, state="dead")
        assert client.get(f"{PATH}/{endpoint['id']}").json()["dead"] == 1
        receiver.answer = receivers.status(200)
        assert client.post(f"{PATH}/{endpoint['id']}/replay", {}, format="json").json() == {"replayed": 1}
        deliver()
        [delivered] = log_of(client, endpoint)
        assert (delivered["state"], delivered["event_id"]) == ("delivered", dead["event_id"])
        assert set(receiver.ids) == {dead["event_id"]}
        assert len(attempts_of(client, endpoint, dead)) == 3

    def test_hangs_holds_up_nobody_else(self, receiver: Receiver, client: APIClient, settings: Settings) -> None:
        settings(webhook_concurrency=4, webhook_concurrency_per_endpoint=2, webhook_timeout_seconds=2.0)
        other = make_merchant()
        with receiving(receivers.hangs(2.0)) as hanging:
            subscribe(client, hanging.url)
            subscribe(merchant_client(other), receiver.url)
            for _ in range(3):
                withdraw(client)
                withdraw(merchant_client(other))
            working = Deliverer()
            started = time.monotonic()
            while len(receiver.received) < 6:
                working.turn()
                assert time.monotonic() - started < 1.5
            assert len(hanging.received) == 2
            WebhookEndpoint.objects.exclude(merchant=other).update(state="disabled")
            working.close()


class TestADeliverer:
    def test_is_not_stopped_by_an_event_that_cannot_be_sent(
        self, receiver: Receiver, client: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        endpoint = subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        with monkeypatch.context() as patched:
            patched.setattr(deliverer, "body_of", lambda _: 1 / 0)
            deliver()
        [delivery] = log_of(client, endpoint)
        assert attempts_of(client, endpoint, delivery)[0]["error"] == "not sent: something is wrong on our side"
        due_now()
        deliver()
        assert receiver.ids == [delivery["event_id"]]

    def test_that_dies_leaves_its_claim_to_another_when_the_lease_is_over(
        self, receiver: Receiver, client: APIClient
    ) -> None:
        subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        [claimed] = deliveries_claim(10, {})
        deliver()
        assert receiver.received == []
        due_now()
        deliver()
        assert receiver.ids == [claimed.event_id]

    def test_whose_database_is_away_sends_nothing_twice(
        self, receiver: Receiver, client: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        subscribe(client, receiver.url, event_types=["withdrawal.settled"])
        withdraw(client)
        working = Deliverer()
        working.turn()
        with monkeypatch.context() as patched:
            patched.setattr(deliverer, "deliveries_record", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                working.turn()
        working.close()
        assert len(receiver.received) == 1
        assert WebhookDelivery.objects.get().state == "delivered"

    def test_that_ends_the_last_delivery_after_another_one_forgets_the_failures(
        self, client: APIClient, settings: Settings
    ) -> None:
        settings(webhook_attempts=1)
        endpoint = f"{PATH}/{subscribe(client, 'http://127.0.0.1:1/nobody')['id']}"
        for _ in range(2):
            client.post(f"{endpoint}/test", {}, format="json")
        WebhookEndpoint.objects.update(failing_since=timezone.now())
        ours, theirs = deliveries_claim(2, {})
        with connected() as other, other.cursor() as cursor:
            ended = "UPDATE payments_webhookdelivery SET state = 'dead', finished_at = now(), next_attempt_at = NULL"
            cursor.execute(f"{ended} WHERE id = %s", [theirs.pk])
            cursor.execute("SELECT id FROM payments_webhookendpoint FOR NO KEY UPDATE")

            def commit_later() -> None:
                time.sleep(0.5)
                other.commit()

            all_at_once([commit_later, lambda: deliveries_record([Result(ours, Sent(500, "answered 500", 1))])])
        assert client.get(endpoint).json()["failing_since"] is None


class TestTheLog:
    def test_is_kept_for_its_time_and_what_is_pending_for_ever(
        self, receiver: Receiver, client: APIClient, settings: Settings
    ) -> None:
        subscribe(client, receiver.url)
        withdraw(client)
        deliver()
        withdraw(client)
        old = timezone.now() - timedelta(days=31)
        WebhookDelivery.objects.filter(state="delivered").update(finished_at=old, created_at=old)
        WebhookDelivery.objects.filter(state="pending").update(created_at=old)
        assert (retention.remove_old(batch_rows=1), WebhookAttempt.objects.count()) == (2, 0)
        assert WebhookDelivery.objects.count() == 2

    def test_of_what_was_given_up_is_counted_and_sent_again_as_far_as_one_request_goes(
        self, receiver: Receiver, client: APIClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(representation, "MOST_COUNTED", 2)
        monkeypatch.setattr(endpoints, "REPLAYED_AT_ONCE", 2)
        endpoint = f"{PATH}/{subscribe(client, receiver.url)['id']}"
        for _ in range(3):
            client.post(f"{endpoint}/test", {}, format="json")
        WebhookDelivery.objects.update(state="dead", finished_at=timezone.now(), next_attempt_at=None)
        assert client.get(endpoint).json()["dead"] == 2
        asked = [client.post(f"{endpoint}/replay", {}, format="json").json()["replayed"] for _ in range(3)]
        assert asked == [2, 1, 0]

    def test_of_what_was_given_up_is_read_by_an_index_of_it(self, receiver: Receiver, client: APIClient) -> None:
        endpoint = WebhookEndpoint.objects.get(pk=subscribe(client, receiver.url)["id"])
        dead = endpoint.deliveries.filter(state="dead")
        with transaction.atomic(), connection.cursor() as cursor:
            # the tables of a test are small enough to be read whole
            cursor.execute("SET LOCAL enable_seqscan = off")
            for rows in (dead.order_by("created_at", "pk"), dead.order_by("-created_at", "-pk"), dead.order_by()):
                assert "webhook_dead" in rows[:10].explain()

    def test_pages_newest_first(self, receiver: Receiver, client: APIClient) -> None:
        endpoint = subscribe(client, receiver.url)
        for _ in range(3):
            withdraw(client)
        path, seen = f"{PATH}/{endpoint['id']}/deliveries?limit=2", []
        while path:
            page = client.get(path).json()
            seen += [each["id"] for each in page["results"]]
            path = page["next"]
        assert seen == sorted(seen, reverse=True)
        assert len(seen) == 6
