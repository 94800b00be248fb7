"""Old rows of the request log go; nothing else does, and no withdrawal waits for it or is waited for."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from core.environment import ENVIRONMENT
from payments.models import ApiRequestLog
from payments.request_log import retention, tasks
from payments.request_log.retention import DELETE_BATCH, first_id_at, remove_old
from payments.request_log.writer import writer
from payments.tests.factories import client_of, fund_pool, make_merchant, merchant_client, withdraw
from payments.tests.other_connection import connected

pytestmark = pytest.mark.usefixtures("books")

DAYS = ENVIRONMENT.request_log_retention_days


@pytest.fixture
def app_role(etebar_servers: Any) -> Iterator[Any]:
    with connected("wallet_app", etebar_servers.environments.secrets.of_role("wallet_app")) as other:
        yield other


def log(days_ago: float, number: int = 0, *, created_days_ago: float | None = None) -> ApiRequestLog:
    """A row whose id was made so many days ago; `number` tells several of that moment apart."""
    identifier = retention.UUID(int=first_id_at(timezone.now() - timedelta(days=days_ago)).int + number)
    created_at = timezone.now() - timedelta(days=days_ago if created_days_ago is None else created_days_ago)
    return ApiRequestLog.objects.create(
        id=identifier,
        request_id=uuid4().hex,
        method="GET",
        path="/api/v1/me",
        remote_address="127.0.0.1",
        created_at=created_at,
    )


def counts() -> dict[str, int]:
    models = [model for model in apps.get_models() if model is not ApiRequestLog]
    return {model.__name__: model._default_manager.count() for model in models}


def parameters() -> list[object]:
    before = timezone.now() - timedelta(days=DAYS)
    return [str(retention.UUID(int=0)), str(first_id_at(before)), before, 100]


class TestRetention:
    def test_rows_older_than_the_setting_are_removed(self) -> None:
        log(DAYS + 0.001)
        log(400)
        kept = log(DAYS - 0.001)
        assert tasks.remove_old() == 2
        assert ApiRequestLog.objects.get() == kept

    def test_of_0_days_nothing_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        log(4000)
        for_ever = ENVIRONMENT.model_copy(update={"request_log_retention_days": 0})
        monkeypatch.setattr(retention, "ENVIRONMENT", for_ever)
        assert remove_old() == 0
        assert ApiRequestLog.objects.count() == 1

    def test_it_goes_on_in_batches_until_none_is_left(self) -> None:
        for number in range(7):
            log(100, number)
        assert remove_old(batch_rows=3) == 7

    def test_when_its_time_is_over_the_rest_waits_for_the_next_turn(self) -> None:
        for number in range(7):
            log(100, number)
        assert remove_old(batch_rows=3, budget_seconds=0) == 3
        assert ApiRequestLog.objects.count() == 4

    def test_a_row_goes_only_when_id_and_created_at_are_both_old(self) -> None:
        log(100, created_days_ago=1)
        log(1, created_days_ago=100)
        assert remove_old() == 0

    def test_nothing_but_the_request_log_is_touched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fund_pool()
        merchant = make_merchant()
        assert withdraw(merchant_client(merchant)).status_code == 201
        withdraw(merchant_client(merchant), "5000.00")
        client_of(merchant.user, merchant.pk).get("/api/v1/me")
        assert writer().flush()
        before = counts()
        # a hundred years on
        later = timezone.now() + timedelta(days=36_525)
        monkeypatch.setattr(retention.timezone, "now", lambda: later)
        assert remove_old() == 3
        assert counts() == before


class TestEveryId:
    def test_is_of_the_time_of_its_request(self) -> None:
        fund_pool()
        client = merchant_client(make_merchant())
        begun = timezone.now() - timedelta(milliseconds=1)
        withdraw(client)
        withdraw(client, "5000.00")
        client.get("/api/v1/me")
        withdraw(client, Prefer="respond-async")
        client.post("/api/v1/withdrawals/bulk", {"withdrawals": []}, format="json")
        assert writer().flush()
        rows = list(ApiRequestLog.objects.all())
        assert len(rows) == 5
        assert {row.pk.version for row in rows} == {7}
        for row in rows:
            assert first_id_at(begun) <= row.pk <= first_id_at(row.created_at + timedelta(seconds=1))


class TestLocks:
    def test_a_row_that_is_being_completed_is_not_waited_for(self) -> None:
        held, free = log(100, 1), log(100, 2)
        with connected() as other, other.cursor() as cursor, connection.cursor() as own:
            cursor.execute("UPDATE payments_apirequestlog SET status = 201 WHERE id = %s", [str(held.pk)])
            own.execute("SET lock_timeout = '2s'")
            try:
                assert remove_old() == 1
            finally:
                own.execute("RESET lock_timeout")
        assert ApiRequestLog.objects.get() == held
        assert free != held
        assert remove_old() == 1

    def test_a_withdrawal_is_settled_while_a_batch_is_under_way(self, app_role: Any) -> None:
        fund_pool()
        log(100)
        with app_role.cursor() as cursor:
            cursor.execute(DELETE_BATCH, parameters())
            assert cursor.fetchone()[0] == 1
            assert withdraw(merchant_client(make_merchant())).status_code == 201
            app_role.commit()
        assert ApiRequestLog.objects.get().status == 201
