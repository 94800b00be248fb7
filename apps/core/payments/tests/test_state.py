"""What beat tells of money, books, queue and secrets is what the database and Redis hold."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from core.environment import ENVIRONMENT
from payments.books.services import verify_books
from payments.models import Withdrawal
from payments.state import collector, secrets, selectors
from payments.state import queue as queues
from payments.state.collector import StateCollector, look
from payments.state.gauges import HELP
from payments.tests.factories import fund_pool, make_merchant, merchant_client, withdraw
from payments.tests.forgery import forge

pytestmark = pytest.mark.usefixtures("books")

# of nobody: its key was thrown away
AUTHORITY = """\
-----BEGIN CERTIFICATE-----
MIIBfTCCASOgAwIBAgIUUZWQZxiuWU6WF0FPOsauFbx2+6owCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJYXV0aG9yaXR5MB4XDTI2MTEyNzA4Mjk0OVoXDTM2MTEyNzA4
Mjk0OVowFDESMBAGA1UEAwwJYXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAEPiFeVbDRWrVSswdTnumjMZI7Fk6noOyH2z1whBarmwEsv7YNt46rvSAd
iqjMYb5ToLT/2qxqAPYQmGdwIjjbBaNTMFEwHQYDVR0OBBYEFLllXXafQBE7L9B4
MVzarMxWop0NMB8GA1UdIwQYMBaAFLllXXafQBE7L9B4MVzarMxWop0NMA8GA1Ud
EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAJ9lBQYQJqtbvlWjsNHSUtL+
mUxIlPqUkuhM+Mj5mD/VAiA9WISY9h6ZYu+tssRs0HHs/SO/zWrz6e98xvbDOhiN
0w==
-----END CERTIFICATE-----
"""
AUTHORITY_ENDS_AT = 2111387389.0  # Nov 27 08:29:49 2036 GMT


def told() -> dict[str, float]:
    """Every gauge's value by its name and its label's value."""
    return {
        ".".join([sample.name, *sample.labels.values()]): sample.value for family in look() for sample in family.samples
    }


@pytest.fixture(autouse=True)
def _funded(books: None) -> None:
    fund_pool("1000.00")


class TestMoney:
    def test_of_a_quiet_platform_is_all_available(self) -> None:
        found = told()
        assert found["etebar_pool_available_amount"] == found["etebar_pool_funded_amount"] == 1000
        pending = {age: found[f"etebar_withdrawals_pending.{age}"] for age in selectors.AGES}
        assert pending == dict.fromkeys(selectors.AGES, 0)
        assert found["etebar_withdrawals_pending_oldest_seconds"] == found["etebar_dispatch_due_oldest_seconds"] == 0

    def test_is_available_reserved_or_settled(self) -> None:
        client = merchant_client(make_merchant())
        withdraw(client, "7.00")
        withdraw(client, "5.00", Prefer="respond-async")
        found = told()
        parts = {name: found[f"etebar_pool_{name}_amount"] for name in ("available", "reserved", "settled", "funded")}
        assert parts == {"available": 988, "reserved": 5, "settled": 7, "funded": 1000}

    @pytest.mark.parametrize(("age_seconds", "of"), [(1, "le_10s"), (30, "le_1m"), (600, "le_15m"), (10_000, "gt_15m")])
    def test_that_is_pending_is_told_by_its_age(self, age_seconds: int, of: str) -> None:
        withdraw(merchant_client(make_merchant()), "5.00", Prefer="respond-async")
        forge(f"UPDATE payments_withdrawal SET created_at = now() - interval '{age_seconds} seconds'")
        found = told()
        assert {age: found[f"etebar_withdrawals_pending_amount.{age}"] for age in selectors.AGES} == {
            **dict.fromkeys(selectors.AGES, 0),
            of: 5,
        }
        assert age_seconds <= found["etebar_withdrawals_pending_oldest_seconds"] < age_seconds + 5

    def test_that_is_due_and_overdue_is_counted(self) -> None:
        withdraw(merchant_client(make_merchant()), "5.00", Prefer="respond-async")
        Withdrawal.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=90), overdue_since=timezone.now())
        found = told()
        assert (found["etebar_dispatch_due"], found["etebar_withdrawals_overdue"]) == (1, 1)
        assert 90 <= found["etebar_dispatch_due_oldest_seconds"] < 95


class TestBooks:
    def test_are_told_since_their_first_comparison(self) -> None:
        assert "etebar_books_differences" not in told()
        verify_books()
        found = told()
        assert (found["etebar_books_differences"], found["etebar_books_settlement_compared"]) == (0, 1)
        assert time.time() - found["etebar_books_last_check_timestamp_seconds"] < 60

    def test_that_differ_are_counted(self) -> None:
        forge("UPDATE payments_creditpool SET available_amount = available_amount - 1")
        verify_books()
        assert told()["etebar_books_differences"] >= 1


NAME = "of-this-test"


class TestTheQueue:
    @pytest.fixture(autouse=True)
    def _emptied(self) -> Iterator[None]:
        yield
        queues._client().delete(NAME)

    def test_that_is_empty_is_0_s_old(self) -> None:
        assert queues.queue(NAME) == queues.Queue(NAME, 0, 0.0)

    def test_is_as_old_as_its_first_message(self) -> None:
        for age in (50, 10):
            message = json.dumps({"headers": {"published_at": time.time() - age}})
            queues._client().lpush(NAME, message)
        found = queues.queue(NAME)
        assert found.messages == 2
        assert 50 <= found.oldest_seconds < 55

    def test_whose_message_has_no_time_is_0_s_old(self) -> None:
        queues._client().lpush(NAME, json.dumps({"headers": {}}))
        assert queues.queue(NAME).oldest_seconds == 0.0

    def test_has_messages_with_their_time(self) -> None:
        queues.app.send_task("payments.dispatch.tasks.flag_overdue", queue=NAME)
        (message,) = queues._client().lrange(NAME, 0, -1)
        assert time.time() - json.loads(message)["headers"]["published_at"] < 60


class TestSecrets:
    def test_tell_when_the_token_was_made(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "rotated-at"
        with_file = ENVIRONMENT.model_copy(update={"internal_token_rotated_at_file": path})
        monkeypatch.setattr(secrets, "ENVIRONMENT", with_file)
        assert secrets.internal_token_made_at() is None
        path.write_text("2026-11-01T00:00:00Z\n")
        assert secrets.internal_token_made_at() == 1793491200.0
        path.write_text("yesterday\n")
        assert secrets.internal_token_made_at() is None

    def test_tell_when_an_authority_ends(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "ca.crt"
        path.write_text(AUTHORITY)
        monkeypatch.setattr(secrets, "ENVIRONMENT", ENVIRONMENT.model_copy(update={"db_sslrootcert": path}))
        assert dict(secrets.certificates()) == {"database-ca": AUTHORITY_ENDS_AT}


class TestACollector:
    def test_knows_every_gauge_that_it_tells(self) -> None:
        verify_books()
        assert {family.name for family in look()} <= HELP.keys() == {each.name for each in StateCollector().describe()}

    def test_looks_once_for_many_who_ask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looks: list[GaugeMetricFamily] = []
        monkeypatch.setattr(collector, "look", lambda: looks.append(collector.gauge("etebar_redis_up", 1)) or looks)
        one = StateCollector()
        assert one.collect() == one.collect()
        assert len(looks) == 1

    def test_says_that_the_database_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def away() -> None:
            raise OperationalError("away")

        monkeypatch.setattr(selectors, "money", away)
        found = told()
        assert (found["etebar_database_up"], found["etebar_redis_up"]) == (0, 1)
        assert "etebar_pool_available_amount" not in found
        connection.close()
