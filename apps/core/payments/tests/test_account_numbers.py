"""Account numbers at rest: what is stored, who reads it, and how keys are replaced."""

import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.test import Client
from django.utils import timezone

from core import account_cipher
from core.account_cipher import number_of
from core.cipher import Changed, Cipher, KeyUnknown
from core.environment import ENVIRONMENT
from payments.dispatch.services import dispatch_due
from payments.management.commands import reencrypt_accounts
from payments.merchants import accounts
from payments.models import DispatchAttempt, Merchant, WalletAccount, Withdrawal
from payments.sandbox.services import Seed, seed_sandbox
from payments.tests.factories import fund_pool, make_merchant, merchant_client, staff_client, withdraw
from payments.tests.test_concurrent_withdrawals import all_at_once
from payments.tests.test_staff import admin_of, make_superuser
from payments.withdrawals.services import withdrawals_settle

pytestmark = pytest.mark.usefixtures("books")

NUMBER = "IRTEST0000000000001"
OLD, NEW = "old-key-" + "x" * 32, "new-key-" + "y" * 32


def of_keys(*keys: str) -> Cipher:
    return Cipher(keys[0], keys[1:], purpose="account number")


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Has numbers encrypted with the first of these keys."""

    def use(*keys: str) -> None:
        made = of_keys(*keys)
        for module in (account_cipher, accounts):
            monkeypatch.setattr(module, "cipher", lambda: made)
        account_cipher._decrypted.cache_clear()

    yield use
    account_cipher._decrypted.cache_clear()


@pytest.fixture
def _in_clear_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = ENVIRONMENT.model_copy(update={"accounts_also_in_clear": True})
    for module in (accounts, reencrypt_accounts):
        monkeypatch.setattr(module, "ENVIRONMENT", settings)


def stored() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bank_account, account_encrypted FROM payments_merchant"
            " UNION ALL SELECT bank_account, account_encrypted FROM payments_walletaccount"
        )
        return list(cursor.fetchall())


def command(*arguments: str) -> str:
    said = StringIO()
    call_command("reencrypt_accounts", *arguments, stdout=said)
    return said.getvalue()


class TestTheCipher:
    def test_gives_back_what_it_was_given(self) -> None:
        assert of_keys(OLD).decrypt(of_keys(OLD).encrypt(NUMBER)) == NUMBER

    def test_never_writes_the_same_twice(self) -> None:
        cipher = of_keys(OLD)
        assert len({cipher.encrypt(NUMBER) for _ in range(50)}) == 50

    def test_fits_its_column(self) -> None:
        longest = max(field.max_length for field in (Merchant._meta.get_field("bank_account"),))
        assert len(of_keys(OLD).encrypt("X" * longest)) <= Merchant._meta.get_field("account_encrypted").max_length

    def test_refuses_what_was_changed(self) -> None:
        sealed = of_keys(OLD).encrypt(NUMBER)
        changed = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
        for wrong in (changed, sealed[:-7], sealed.replace(":", "::")):
            with pytest.raises((Changed, KeyUnknown)):
                of_keys(OLD).decrypt(wrong)

    def test_takes_nothing_that_was_encrypted_for_another_purpose(self) -> None:
        with pytest.raises(Changed):
            Cipher(OLD, purpose="webhook secret").decrypt(of_keys(OLD).encrypt(NUMBER))

    def test_names_the_key_that_it_lacks_and_no_number(self) -> None:
        sealed = of_keys(OLD).encrypt(NUMBER)
        with pytest.raises(KeyUnknown, match=sealed.split(":")[1]) as refused:
            of_keys(NEW).decrypt(sealed)
        assert NUMBER not in str(refused.value)

    def test_decrypts_a_merchants_number_once(self) -> None:
        """The hot path: a withdrawal costs a look into a dictionary, hundreds of times cheaper than its own work."""
        sealed = account_cipher.cipher().encrypt(NUMBER)
        number_of(sealed)
        misses = account_cipher._decrypted.cache_info().misses
        started = time.perf_counter()
        for _ in range(1000):
            number_of(sealed)
        assert account_cipher._decrypted.cache_info().misses == misses
        assert time.perf_counter() - started < 0.5


@pytest.mark.usefixtures("_in_clear_as_well")
class TestBesideTheVersionBefore:
    def test_both_columns_are_written(self) -> None:
        make_merchant(account=NUMBER)
        assert [clear for clear, _ in stored()] == [NUMBER, NUMBER]
        assert [number_of(sealed) for _, sealed in stored()] == [NUMBER, NUMBER]

    def test_what_it_wrote_is_paid(self) -> None:
        merchant = make_merchant(account=NUMBER)
        Merchant.objects.update(account_encrypted="")
        WalletAccount.objects.update(account_encrypted="")
        fund_pool()
        assert withdraw(merchant_client(merchant)).status_code == 201

    def test_clear_numbers_are_not_dropped_while_they_are_written(self) -> None:
        make_merchant()
        with pytest.raises(CommandError, match="ACCOUNTS_ALSO_IN_CLEAR is on"):
            command("--drop-clear")


class TestAfterIt:
    def test_only_encrypted_numbers_are_written(self) -> None:
        make_merchant(account=NUMBER)
        assert [clear for clear, _ in stored()] == ["", ""]
        assert NUMBER not in str(stored())

    def test_withdrawals_are_paid_to_the_same_account(self) -> None:
        merchant = make_merchant(account=NUMBER)
        fund_pool()
        first = withdraw(merchant_client(merchant), Prefer="respond-async")
        assert first.status_code == 202
        assert withdraw(merchant_client(merchant)).status_code == 201
        pending = Withdrawal.objects.select_related("wallet_account").get(pk=first.json()["id"])
        [result] = withdrawals_settle([pending]).values()
        assert "paid" in str(result).lower()

    def test_a_seeded_sandbox_pays(self) -> None:
        seed_sandbox(Seed(merchants=3), say=lambda _: None)
        assert withdraw(merchant_client(Merchant.objects.order_by("pk")[1])).status_code == 201

    def test_clear_numbers_are_dropped_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as before:
            before.setattr(accounts, "ENVIRONMENT", ENVIRONMENT.model_copy(update={"accounts_also_in_clear": True}))
            merchant = make_merchant(account=NUMBER)
        Merchant.objects.update(account_encrypted="")
        assert command("--drop-clear") == "encrypted: 1\nsecrets of webhooks: 0\nemptied: 2\n"
        assert command("--drop-clear") == "encrypted: 0\nsecrets of webhooks: 0\nemptied: 0\n"
        fund_pool()
        assert withdraw(merchant_client(merchant)).status_code == 201
        assert [clear for clear, _ in stored()] == ["", ""]

    def test_no_number_is_dropped_that_is_not_the_encrypted_one(self) -> None:
        merchant = make_merchant(account=NUMBER)
        WalletAccount.objects.filter(merchant=merchant).update(bank_account="IRTEST0000000000002")
        with pytest.raises(CommandError, match="another account number encrypted than in clear"):
            command("--drop-clear")
        assert WalletAccount.objects.get().bank_account == "IRTEST0000000000002"

    def test_a_number_is_never_missing(self) -> None:
        merchant = make_merchant()
        with pytest.raises(IntegrityError, match="merchant_has_account_number"):
            Merchant.objects.filter(pk=merchant.pk).update(account_encrypted="")


class TestTheKey:
    def test_is_replaced_while_both_are_there(self, key: Any) -> None:
        key(OLD)
        merchant = make_merchant(account=NUMBER)
        key(NEW, OLD)
        assert merchant.account_number == NUMBER
        assert command() == "encrypted: 2\nsecrets of webhooks: 0\n"
        key(NEW)
        assert {each.account_number for each in (*Merchant.objects.all(), *WalletAccount.objects.all())} == {NUMBER}
        assert command() == "encrypted: 0\nsecrets of webhooks: 0\n"


class TestWhoSeesIt:
    def test_no_list_no_page_and_no_answer_shows_it(self) -> None:
        merchant = make_merchant(account=NUMBER)
        root = admin_of(make_superuser())
        shown = [
            root.get("/admin/payments/merchant/"),
            root.get(f"/admin/payments/merchant/{merchant.pk}/change/"),
            staff_client().get("/api/v1/admin/merchants"),
            staff_client().get(f"/api/v1/admin/merchants/{merchant.pk}"),
            merchant_client(merchant).get("/api/v1/me"),
        ]
        assert {answer.status_code for answer in shown} == {200}
        for answer in shown:
            assert NUMBER not in answer.content.decode()
            assert "v1:" not in answer.content.decode()
        assert "IR*************0001" in shown[1].content.decode()

    def test_no_object_says_it(self) -> None:
        merchant = make_merchant(account=NUMBER)
        assert NUMBER not in f"{merchant!r} {merchant} {merchant.wallet_account!r}"

    def test_the_admin_registers_no_account(self) -> None:
        assert Client().get("/admin/payments/walletaccount/").status_code == 302
        assert admin_of(make_superuser()).get("/admin/payments/walletaccount/").status_code == 404


class TestANumberThatCannotBeRead:
    """Its key was taken away too early, or the row was changed."""

    @pytest.fixture
    def unreadable(self, key: Any) -> Merchant:
        key(OLD)
        merchant = make_merchant(account=NUMBER)
        key(NEW)
        fund_pool()
        return merchant

    def test_leaves_its_withdrawal_pending_and_holds_up_nobody(self, unreadable: Merchant) -> None:
        other = make_merchant(account=NUMBER)
        answers = all_at_once([lambda each=each: withdraw(merchant_client(each)) for each in (unreadable, other)])
        assert [answer.status_code for answer in answers] == [202, 201]

    def test_does_not_stop_the_dispatcher(self, unreadable: Merchant, key: Any) -> None:
        other = make_merchant(account=NUMBER)
        made = [withdraw(merchant_client(each), Prefer="respond-async").json()["id"] for each in (unreadable, other)]
        assert dispatch_due() == 1
        states = [Withdrawal.objects.get(pk=each).state for each in made]
        assert states == ["pending", "settled"]
        assert "not asked" in DispatchAttempt.objects.get(withdrawal_id=made[0]).detail
        key(NEW, OLD)
        Withdrawal.objects.filter(pk=made[0]).update(next_attempt_at=timezone.now())
        assert dispatch_due() == 1

    def test_is_no_bar_to_a_decision_of_two_people(self, unreadable: Merchant) -> None:
        withdrawal_id = withdraw(merchant_client(unreadable), Prefer="respond-async").json()["id"]
        Withdrawal.objects.filter(pk=withdrawal_id).update(overdue_since=timezone.now())
        first, second = staff_client(), staff_client()
        about = {"outcome": "refused", "evidence": "the bank has no such payment", "bank_reference": "T-1"}
        asked = first.post(f"/api/v1/admin/withdrawals/{withdrawal_id}/outcome", about, format="json")
        assert asked.status_code == 202, asked.content
        approval = {"approval_id": asked.json()["approval_id"]}
        assert second.post("/api/v1/admin/approvals/approve", approval, format="json").status_code == 200
        assert dispatch_due() == 1
        assert Withdrawal.objects.get(pk=withdrawal_id).state == "failed"

    def test_is_shown_as_unknown(self, unreadable: Merchant) -> None:
        [shown] = staff_client().get("/api/v1/admin/merchants").json()["results"]
        assert (shown["merchant_id"], shown["bank_account"]) == (unreadable.pk, "?")
