"""A merchant's life: registration, approval, suspension, limits, and what each side may see."""

from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from payments.models import LedgerEntry, MerchantCredit, WalletAccount, Withdrawal
from payments.tests.factories import (
    balances,
    fund_pool,
    make_merchant,
    merchant_client,
    staff_client,
    unique_name,
    withdraw,
)

pytestmark = pytest.mark.usefixtures("books")

STAFF_POSTS = ("approve", "refuse", "suspend", "reinstate", "credit-limit", "pool/topup")
STAFF_GETS = ("merchants", "merchants/1", "merchants/1/ledger", "pool", "withdrawals")


def decide(staff: APIClient, act: str, merchant_id: int, **fields: str) -> Any:
    return staff.post(f"/api/v1/admin/{act}", {"merchant_id": merchant_id, **fields}, format="json")


class TestTheSeedsStory:
    def test_register_approve_top_up_withdraw_me(self) -> None:
        body = {"username": "m1", "password": "p", "requested_credit": "1000.00", "bank_account": "IRTEST0000000000001"}
        merchant_id = APIClient().post("/api/v1/auth/register", body, format="json").json()["merchant_id"]
        staff = staff_client()
        assert decide(staff, "approve", merchant_id, credit_limit="1000.00").status_code == 200
        assert staff.post("/api/v1/admin/pool/topup", {"amount": "5000.00"}, format="json").status_code == 200
        login = APIClient().post("/api/v1/auth/token", {"username": "m1", "password": "p"}, format="json").json()
        assert set(login) == {"access", "refresh"}
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {login['access']}")
        settled = withdraw(client, "1.00")
        assert (settled.status_code, settled.json()["state"]) == (201, "settled")
        me = client.get("/api/v1/me").json()
        assert (me["utilized_amount"], me["available_credit"], me["state"]) == ("1.00", "999.00", "approved")
        assert staff.get("/api/v1/admin/pool").json()["available_amount"] == "4999.00"


class TestStates:
    def test_approval_creates_the_wallet_account_and_the_credit(self) -> None:
        merchant = make_merchant(approved=False)
        answer = decide(staff_client(), "approve", merchant.pk, credit_limit="50.00").json()
        assert (answer["state"], answer["credit_limit"], answer["utilized_amount"]) == ("approved", "50.00", "0.00")
        account = WalletAccount.objects.get(merchant=merchant)
        assert str(account.pk) == answer["wallet_account_id"]
        assert len(account.fingerprint) == 64
        assert MerchantCredit.objects.get(merchant=merchant).credit_limit == Decimal("50.00")

    def test_a_refused_merchant_cannot_withdraw_or_be_approved(self) -> None:
        merchant = make_merchant(approved=False)
        staff = staff_client()
        refused = decide(staff, "refuse", merchant.pk, reason="no papers").json()
        assert (refused["state"], refused["state_reason"]) == ("refused", "no papers")
        assert decide(staff, "approve", merchant.pk, credit_limit="1.00").json()["code"] == "merchant_state_conflict"
        assert withdraw(merchant_client(merchant)).json()["code"] == "merchant_not_active"

    def test_a_suspended_merchants_valid_token_no_longer_withdraws(self) -> None:
        fund_pool()
        merchant = make_merchant()
        client, staff = merchant_client(merchant), staff_client()
        assert withdraw(client).status_code == 201
        decide(staff, "suspend", merchant.pk, reason="fraud?")
        stopped = withdraw(client)
        assert (stopped.status_code, stopped.json()["code"]) == (409, "merchant_not_active")
        assert client.get("/api/v1/me").json()["state"] == "suspended"
        decide(staff, "reinstate", merchant.pk)
        assert withdraw(client).status_code == 201

    def test_a_deactivated_user_no_longer_withdraws(self) -> None:
        fund_pool()
        merchant = make_merchant()
        client = merchant_client(merchant)
        merchant.user.is_active = False
        merchant.user.save()
        assert withdraw(client).json()["code"] == "merchant_not_active"

    @pytest.mark.parametrize(
        ("acts", "last"),
        [
            ((), "suspend"),
            ((), "reinstate"),
            (("approve",), "approve"),
            (("approve",), "refuse"),
            (("refuse",), "suspend"),
        ],
    )
    def test_what_the_state_does_not_allow_is_a_conflict(self, acts: tuple[str, ...], last: str) -> None:
        merchant = make_merchant(approved=False)
        staff = staff_client()
        for act in (*acts, last):
            fields = {"credit_limit": "1.00"} if act == "approve" else {}
            answer = decide(staff, act, merchant.pk, **fields)
        assert (answer.status_code, answer.json()["code"]) == (409, "merchant_state_conflict")

    def test_a_limit_before_approval_is_a_conflict(self) -> None:
        merchant = make_merchant(approved=False)
        assert decide(staff_client(), "credit-limit", merchant.pk, credit_limit="1.00").status_code == 409


class TestLimits:
    def test_a_limit_below_what_is_used_only_blocks_new_withdrawals(self) -> None:
        fund_pool()
        merchant = make_merchant(limit="10.00")
        client, staff = merchant_client(merchant), staff_client()
        assert withdraw(client, "6.00").status_code == 201
        lowered = decide(staff, "credit-limit", merchant.pk, credit_limit="5.00").json()
        assert (lowered["utilized_amount"], lowered["available_credit"]) == ("6.00", "0.00")
        assert withdraw(client, "0.01").json()["code"] == "insufficient_credit"
        decide(staff, "credit-limit", merchant.pk, credit_limit="7.00")
        assert withdraw(client, "1.00").status_code == 201

    def test_a_withdrawal_keeps_the_limit_it_was_accepted_under_and_the_accounts_fingerprint(self) -> None:
        fund_pool()
        merchant = make_merchant(limit="10.00")
        withdraw(merchant_client(merchant), "6.00")
        decide(staff_client(), "credit-limit", merchant.pk, credit_limit="7.00")
        withdrawal = Withdrawal.objects.get()
        assert withdrawal.accepted_limit == Decimal("10.00")
        assert withdrawal.account_fingerprint == merchant.wallet_account.fingerprint

    def test_the_whole_limit_and_the_whole_pool_can_be_used(self) -> None:
        fund_pool("10.00")
        merchant = make_merchant(limit="10.00")
        assert withdraw(merchant_client(merchant), "10.00").status_code == 201
        assert (balances(merchant).utilized, balances(merchant).pool) == (Decimal("10.00"), Decimal("0.00"))

    def test_a_pool_that_is_too_small_refuses_and_reserves_nothing(self) -> None:
        fund_pool("5.00")
        merchant = make_merchant(limit="10.00")
        refused = withdraw(merchant_client(merchant), "5.01")
        assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_pool")
        assert (balances(merchant).utilized, balances(merchant).pool) == (Decimal("0.00"), Decimal("5.00"))
        assert not Withdrawal.objects.exists()


class TestWhoMaySee:
    @pytest.mark.parametrize("path", STAFF_POSTS)
    def test_merchants_do_nothing_of_staffs(self, path: str) -> None:
        answer = merchant_client(make_merchant()).post(f"/api/v1/admin/{path}", {}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")

    @pytest.mark.parametrize("path", STAFF_GETS)
    def test_merchants_see_nothing_of_staffs(self, path: str) -> None:
        assert merchant_client(make_merchant()).get(f"/api/v1/admin/{path}").status_code == 403

    @pytest.mark.parametrize("path", ["me", "withdrawals", "ledger", "idempotency-keys?key=k", "admin/merchants"])
    def test_nobody_sees_anything_without_a_token(self, path: str) -> None:
        answer = APIClient().get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_a_merchant_sees_only_its_own_withdrawals(self) -> None:
        fund_pool()
        mine, theirs = merchant_client(make_merchant()), merchant_client(make_merchant())
        foreign = withdraw(theirs).json()["id"]
        assert mine.get(f"/api/v1/withdrawals/{foreign}").status_code == 404
        assert mine.get("/api/v1/withdrawals").json() == {"results": [], "next": None}
        assert theirs.get(f"/api/v1/withdrawals/{foreign}").json()["id"] == foreign

    def test_the_account_number_is_masked(self) -> None:
        merchant = make_merchant(account="IRTEST0000000000001")
        assert merchant_client(merchant).get("/api/v1/me").json()["bank_account"] == "IR*************0001"


class TestLists:
    def test_pages_follow_each_other_without_gap_or_repetition(self) -> None:
        fund_pool()
        client = merchant_client(make_merchant())
        made = [withdraw(client, "0.01", Prefer="respond-async").json()["id"] for _ in range(7)]
        seen, path = [], "/api/v1/withdrawals?limit=3"
        while path:
            page = client.get(path).json()
            seen += [item["id"] for item in page["results"]]
            path = page["next"]
        assert seen == made[::-1]

    def test_filters_by_state_and_date(self) -> None:
        fund_pool()
        client = merchant_client(make_merchant())
        settled = withdraw(client).json()
        pending = withdraw(client, Prefer="respond-async").json()

        def listed(**query: str) -> list[str]:
            return [item["id"] for item in client.get("/api/v1/withdrawals", query).json()["results"]]

        assert listed(state="settled") == [settled["id"]]
        assert listed(state="pending") == [pending["id"]]
        assert listed(created_from=pending["created_at"]) == [pending["id"]]
        assert listed(created_to=pending["created_at"]) == [settled["id"]]

    def test_filters_by_amount_and_adds_up_what_is_chosen(self) -> None:
        fund_pool()
        client = merchant_client(make_merchant())
        for amount in ("1.00", "2.50", "4.00"):
            assert withdraw(client, amount).status_code == 201
        withdraw(client, "8.00", Prefer="respond-async")
        assert withdraw(merchant_client(make_merchant()), "9.00").status_code == 201

        def sums(**query: str) -> dict[str, tuple[int, str]]:
            found = client.get("/api/v1/withdrawals/totals", query).json()
            return {state: (each["count"], each["amount"]) for state, each in found.items()}

        nothing = (0, "0.00")
        assert sums() == {"settled": (3, "7.50"), "pending": (1, "8.00"), "failed": nothing}
        assert sums(state="settled", amount_from="2.50") == {
            "settled": (2, "6.50"),
            "pending": nothing,
            "failed": nothing,
        }
        listed = client.get("/api/v1/withdrawals", {"amount_from": "2.50", "amount_to": "4.00"}).json()["results"]
        assert [each["amount"] for each in listed] == ["4.00", "2.50"]
        assert client.get("/api/v1/withdrawals/totals", {"amount_from": "many"}).status_code == 422
        assert client.get("/api/v1/withdrawals/totals", {"limit": "1"}).status_code == 422

    def test_staff_list_merchants_by_state_and_name(self) -> None:
        name = unique_name("findme")
        waiting, approved = make_merchant(approved=False), make_merchant(username=name)
        staff = staff_client()

        def listed(**query: str) -> list[int]:
            answer = staff.get("/api/v1/admin/merchants", query).json()
            return [item["merchant_id"] for item in answer["results"]]

        assert listed(state="pending") == [waiting.pk]
        assert listed(username=name[:-1]) == [approved.pk]
        assert staff.get(f"/api/v1/admin/merchants/{approved.pk}").json()["username"] == name

    def test_staff_list_every_merchants_withdrawals(self) -> None:
        fund_pool()
        merchants = [make_merchant() for _ in range(2)]
        made = [withdraw(merchant_client(merchant)).json()["id"] for merchant in merchants]
        staff = staff_client()
        answer = staff.get("/api/v1/admin/withdrawals").json()
        assert [item["id"] for item in answer["results"]] == made[::-1]
        one = staff.get("/api/v1/admin/withdrawals", {"merchant_id": merchants[0].pk}).json()
        assert [item["id"] for item in one["results"]] == [made[0]]
        assert staff.get("/api/v1/admin/withdrawals?overdue=true").json()["results"] == []

    def test_the_ledger_of_a_merchant_counts_its_entries_and_balances(self) -> None:
        fund_pool()
        merchant = make_merchant()
        client = merchant_client(merchant)
        for amount in ("1.00", "2.50"):
            withdraw(client, amount)
        entries = client.get("/api/v1/ledger").json()["results"]
        assert [(entry["number"], entry["amount"], entry["balance_after"]) for entry in entries] == [
            (2, "2.50", "3.50"),
            (1, "1.00", "1.00"),
        ]
        assert staff_client().get(f"/api/v1/admin/merchants/{merchant.pk}/ledger").json()["results"] == entries
        pool = LedgerEntry.objects.filter(account="pool").order_by("number").values_list("balance_after", flat=True)
        assert list(pool) == [Decimal("1000.00"), Decimal("999.00"), Decimal("996.50")]
