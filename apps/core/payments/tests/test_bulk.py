"""POST /api/v1/withdrawals/bulk: each item as if it had come alone, or all of them or none."""

from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from core.environment import ENVIRONMENT
from payments.books.checks import find_differences
from payments.models import ApiRequestLog, IdempotencyKey, Withdrawal
from payments.request_log.writer import writer
from payments.tests.factories import (
    balances,
    fund_pool,
    make_merchant,
    merchant_client,
    staff_client,
    unique_name,
    withdraw,
)
from payments.withdrawals import pipeline

pytestmark = pytest.mark.usefixtures("books")

PATH = "/api/v1/withdrawals/bulk"


@pytest.fixture
def client() -> APIClient:
    fund_pool()
    return merchant_client(make_merchant())


def item(amount: object = "1.00", key: str | None = None) -> dict[str, object]:
    return {"idempotency_key": key or unique_name("bulk-"), "amount": amount}


def send(client: APIClient, *items: object, **members: object) -> Any:
    return client.post(PATH, {"withdrawals": list(items), **members}, format="json")


def statuses(answer: Any) -> list[int]:
    return [result["status"] for result in answer.json()["results"]]


class TestItems:
    def test_each_is_answered_for_itself_in_order(self, client: APIClient) -> None:
        items = [item("1.00"), item("1000.00"), item("2.00")]
        answer = send(client, *items)
        assert (answer.status_code, statuses(answer)) == (207, [201, 409, 201])
        results = answer.json()["results"]
        assert [result["idempotency_key"] for result in results] == [each["idempotency_key"] for each in items]
        assert [results[0]["body"]["state"], results[1]["body"]["code"]] == ["settled", "insufficient_credit"]
        assert answer.json()["summary"] == {"settled": 2, "pending": 0, "refused": 1, "unknown": 0}
        assert find_differences() == []

    @pytest.mark.parametrize(
        ("wrong", "fields"),
        [
            (7, {"item"}),
            ({}, {"amount", "idempotency_key"}),
            ({"idempotency_key": "k"}, {"amount"}),
            ({"idempotency_key": "k", "amount": 1}, {"amount"}),
            ({"idempotency_key": "k", "amount": "1.005"}, {"amount"}),
            ({"idempotency_key": "", "amount": "1.00"}, {"idempotency_key"}),
            ({"idempotency_key": " k", "amount": "1.00"}, {"idempotency_key"}),
            ({"idempotency_key": "k" * 256, "amount": "1.00"}, {"idempotency_key"}),
            ({"idempotency_key": "caf\u00e9", "amount": "1.00"}, {"idempotency_key"}),
            ({"idempotency_key": 1, "amount": "1.00"}, {"idempotency_key"}),
            ({"idempotency_key": "k", "amount": "1.00", "atomic": True}, {"atomic"}),
        ],
    )
    def test_one_that_is_not_right_says_why_and_spoils_no_other(
        self, client: APIClient, wrong: object, fields: set[str]
    ) -> None:
        answer = send(client, item(), wrong, item())
        assert statuses(answer) == [201, 422, 201]
        assert {error["field"] for error in answer.json()["results"][1]["body"]["errors"]} == fields
        assert Withdrawal.objects.count() == 2

    def test_a_repeated_request_is_replayed_item_by_item(self, client: APIClient) -> None:
        items = [item("1.00"), item("1000.00"), item("2.00")]
        first, second = send(client, *items), send(client, *items, item("3.00", "new"))
        assert [result["replayed"] for result in second.json()["results"]] == [True, True, True, False]
        bodies = [[result["body"] for result in answer.json()["results"]][:3] for answer in (first, second)]
        assert bodies[0] == bodies[1]
        assert Withdrawal.objects.count() == 3

    def test_an_item_and_the_single_request_with_its_key_repeat_each_other(self, client: APIClient) -> None:
        single = withdraw(client, "1.00", "first-alone")
        answer = send(client, item("1.00", "first-alone"), item("2.00", "first-in-bulk"))
        assert answer.json()["results"][0]["body"] == single.json()
        alone = withdraw(client, "2.00", "first-in-bulk")
        assert alone.headers["Idempotency-Replayed"] == "true"
        assert alone.json() == answer.json()["results"][1]["body"]

    def test_one_key_several_times_is_one_withdrawal(self, client: APIClient) -> None:
        answer = send(client, item("1.00", "k"), item("1.00", "k"), item("2.00", "k"), item("1.00", "k"))
        first, same, different, again = answer.json()["results"]
        assert (first["status"], first["replayed"], different["status"]) == (201, False, 422)
        assert different["body"]["code"] == "idempotency_key_reused"
        assert {same["status"], again["status"]} <= {201, 202}
        assert same["replayed"] is again["replayed"] is True
        assert Withdrawal.objects.count() == 1

    def test_a_payout_that_the_bank_refuses_is_that_items_answer(self) -> None:
        fund_pool()
        refused = merchant_client(make_merchant(account="IRTESTREFUSED0000001"))
        answer = send(refused, item(), item())
        assert [result["body"]["code"] for result in answer.json()["results"]] == ["payout_failed"] * 2
        assert find_differences() == []

    def test_a_thousand_are_taken(self) -> None:
        fund_pool("1000.00")
        merchant = make_merchant(limit="1000.00")
        answer = send(merchant_client(merchant), *(item("0.10", f"k{number}") for number in range(1000)))
        assert answer.json()["summary"] == {"settled": 1000, "pending": 0, "refused": 0, "unknown": 0}
        assert str(balances(merchant).utilized) == "100.00"
        assert find_differences() == []


class TestWhatIsNotKnown:
    def test_is_not_called_refused(self, client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise OperationalError("away")

        with monkeypatch.context() as patch:
            patch.setattr(pipeline, "reserve", fail)
            answer = send(client, item("1.00", "k"))
        assert answer.json()["summary"] == {"settled": 0, "pending": 0, "refused": 0, "unknown": 1}
        assert statuses(send(client, item("1.00", "k"))) == [201]


class TestAllOrNothing:
    def test_all_are_made_when_all_can_be(self, client: APIClient) -> None:
        answer = send(client, item("1.00"), item("2.00"), atomic=True)
        assert (answer.status_code, statuses(answer)) == (207, [201, 201])

    @pytest.mark.parametrize("bad", [item("1000.00", "bad"), item("1.005", "bad")], ids=["refused", "not right"])
    def test_one_bad_item_leaves_nothing_behind(self, client: APIClient, bad: dict[str, object]) -> None:
        answer = send(client, item("1.00", "a"), bad, item("2.00", "c"), atomic=True)
        assert (answer.status_code, answer.json()["code"]) == (409, "bulk_aborted")
        codes = [result["body"]["code"] for result in answer.json()["results"]]
        assert codes[0] == codes[2] == "aborted_with_others"
        assert codes[1] in {"insufficient_credit", "validation_failed"}
        assert not Withdrawal.objects.exists()
        assert not IdempotencyKey.objects.exists()
        assert find_differences() == []

    def test_after_that_the_same_keys_are_free(self, client: APIClient) -> None:
        send(client, item("1.00", "a"), item("1000.00", "b"), atomic=True)
        answer = send(client, item("1.00", "a"), item("3.00", "b"), atomic=True)
        assert statuses(answer) == [201, 201]

    def test_a_pool_that_does_not_cover_all_covers_none(self) -> None:
        fund_pool("5.00")
        client = merchant_client(make_merchant())
        answer = send(client, item("3.00"), item("3.00"), atomic=True)
        assert [result["body"]["code"] for result in answer.json()["results"]] == [
            "aborted_with_others",
            "insufficient_pool",
        ]
        assert not Withdrawal.objects.exists()

    def test_what_was_made_before_counts_as_made(self, client: APIClient) -> None:
        withdraw(client, "1.00", "a")
        first = send(client, item("1.00", "a"), item("2.00", "b"), atomic=True)
        again = send(client, item("1.00", "a"), item("2.00", "b"), atomic=True)
        assert [result["replayed"] for result in first.json()["results"]] == [True, False]
        assert [result["replayed"] for result in again.json()["results"]] == [True, True]
        assert Withdrawal.objects.count() == 2

    def test_a_key_that_stands_for_another_request_aborts(self, client: APIClient) -> None:
        withdraw(client, "1.00", "a")
        answer = send(client, item("7.00", "a"), item("2.00", "b"), atomic=True)
        assert [result["status"] for result in answer.json()["results"]] == [422, 424]
        assert Withdrawal.objects.count() == 1

    def test_a_key_twice_is_refused(self, client: APIClient) -> None:
        answer = send(client, item("1.00", "a"), item("1.00", "a"), atomic=True)
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
        assert not Withdrawal.objects.exists()


class TestTheRequest:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "withdrawals"),
            ({"withdrawals": []}, "withdrawals"),
            ({"withdrawals": {}}, "withdrawals"),
            ({"withdrawals": [item()] * 1001}, "withdrawals"),
            ({"withdrawals": [item()], "atomic": "yes"}, "atomic"),
            ({"withdrawals": [item()], "all": True}, "all"),
        ],
    )
    def test_that_is_not_right_names_the_field(self, client: APIClient, body: object, field: str) -> None:
        answer = client.post(PATH, body, format="json")
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == [field]

    def test_may_be_larger_than_others_but_not_endless(self, client: APIClient) -> None:
        half = b'{"withdrawals":[' + b" " * (ENVIRONMENT.bulk_body_limit_bytes // 2) + b"]}"
        answer = client.post(PATH, half, content_type="application/json")
        assert answer.json()["code"] == "validation_failed"
        assert client.post(PATH, half * 3, content_type="application/json").json()["code"] == "body_too_large"
        assert withdraw_raw(client, half).json()["code"] == "body_too_large"

    def test_is_for_merchants(self) -> None:
        assert send(staff_client(), item()).status_code == 403
        assert send(APIClient(), item()).status_code == 401

    def test_counts_as_many_requests_as_it_has_items(self, client: APIClient, limits: Any) -> None:
        limits(merchant="10/minute")
        assert send(client, *(item() for _ in range(6))).status_code == 207
        assert send(client, *(item() for _ in range(6))).status_code == 429
        # what was refused as a whole has used up one request only
        assert send(client, *(item() for _ in range(2))).status_code == 207
        assert Withdrawal.objects.count() == 8

    def test_is_one_line_in_the_request_log(self, client: APIClient) -> None:
        send(client, item(), item())
        assert writer().flush()
        (row,) = ApiRequestLog.objects.filter(path=PATH)
        assert (row.status, row.withdrawal_id) == (207, None)


def withdraw_raw(client: APIClient, body: bytes) -> Any:
    return client.post("/api/v1/withdrawals", body, content_type="application/json", headers={"Idempotency-Key": "k"})
