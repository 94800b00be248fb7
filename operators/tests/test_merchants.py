"""The reconcile of a merchant: what is done in which order, and what comes of each trouble."""

from collections.abc import Mapping
from typing import Any

import pytest
from onboarding_helpers import body, kept

from onboarding.core_answers import KeptMerchant
from onboarding.desired import MerchantObject
from onboarding.errors import ClusterUnavailable, CoreRefused, CoreUnavailable
from onboarding.merchants import MerchantReconciler
from onboarding.result import Result

ACCOUNT_SECRET = {"data": {"account": "SVJURVNUMg=="}}


class Books:
    """Core and the cluster's Secrets in one, writing down the order of what is asked."""

    def __init__(self, answer: KeptMerchant | Exception, secrets: dict[str, Any] | None = None) -> None:
        self.answer, self.secrets = answer, secrets or {}
        self.order: list[str] = []
        self.wish: Mapping[str, Any] = {}
        self.write_error: Exception | None = None
        self.stale_below = 0

    async def keep_merchant(self, namespace: str, name: str, wish: Mapping[str, Any]) -> KeptMerchant:
        self.order.append(f"core {namespace}/{name}")
        self.wish = wish
        if isinstance(self.answer, Exception):
            raise self.answer
        if wish["password"] and wish["credentials_version"] < self.stale_below:
            raise CoreRefused(409, "credentials_stale", "replaced", {"credentials_version": self.stale_below})
        return self.answer

    async def find(self, _: str, name: str) -> Mapping[str, Any] | None:
        return self.secrets.get(name)

    async def write(self, manifest: Mapping[str, Any]) -> None:
        if self.write_error:
            raise self.write_error
        self.order.append("secret")
        metadata = {"resourceVersion": "1"} | manifest["metadata"]
        self.secrets[metadata["name"]] = {**manifest, "metadata": metadata}

    async def reconcile(
        self, *, sandbox: bool = True, registered: bool = False, deleted: bool = False, **spec: Any
    ) -> Result:
        given = body(**spec)
        given["spec"] = {name: value for name, value in given["spec"].items() if value is not None}
        if deleted:
            given["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
        reconciler = MerchantReconciler(self, self, sandbox)
        return await reconciler.reconcile(MerchantObject.of(given), is_registered=registered)


def told(result: Result) -> dict[str, tuple[str, str]]:
    return {each.type: (each.status, each.reason) for each in result.conditions}


class TestKeeping:
    async def test_the_secret_is_written_before_core_is_told(self) -> None:
        books = Books(kept())
        result = await books.reconcile()
        assert books.order == ["secret", "core shops/shop"]
        assert told(result)["Ready"] == ("True", "Ready")
        assert result.members["merchantId"] == 7
        assert not result.retry

    async def test_the_same_again_writes_no_secret_and_the_same_wish(self) -> None:
        books = Books(kept())
        await books.reconcile()
        first = books.wish
        await books.reconcile(registered=True)
        assert books.order == ["secret", "core shops/shop", "core shops/shop"]
        assert books.wish == first

    async def test_after_an_end_between_secret_and_core_the_same_password_is_told(self) -> None:
        books = Books(CoreUnavailable("lost"))
        assert told(await books.reconcile())["Ready"] == ("False", "CoreUnavailable")
        first = books.wish
        books.answer = kept()
        await books.reconcile()
        assert books.wish == first
        assert books.order.count("secret") == 1

    async def test_a_secret_that_cannot_be_written_keeps_core_from_being_told(self) -> None:
        books = Books(kept())
        books.write_error = ClusterUnavailable("the API server answered 403: Forbidden")
        result = await books.reconcile()
        assert books.order == []
        assert told(result) == {"Ready": ("False", "ClusterUnavailable")}
        assert result.retry

    async def test_a_secret_from_a_backup_is_issued_anew(self) -> None:
        books = Books(kept())
        await books.reconcile()
        first = books.wish
        books.stale_below = first["credentials_version"] + 10**9
        result = await books.reconcile(registered=True)
        assert told(result)["Ready"] == ("True", "Ready")
        assert books.wish["credentials_version"] > books.stale_below
        assert books.wish["password"] != first["password"]
        # the Secret was written before core was told
        assert books.order[-2:] == ["secret", "core shops/shop"]

    async def test_a_secret_of_somebody_else_keeps_core_from_being_told(self) -> None:
        theirs = {"metadata": {"name": "shop-credentials", "resourceVersion": "1"}, "data": {"password": "eA=="}}
        books = Books(kept(), {"shop-credentials": theirs})
        result = await books.reconcile()
        assert books.order == []
        assert told(result) == {"CredentialsIssued": ("False", "SecretNotOwned"), "Ready": ("False", "SecretNotOwned")}


class TestTheBankAccount:
    async def test_is_read_from_its_secret(self) -> None:
        books = Books(kept(), {"s": ACCOUNT_SECRET})
        await books.reconcile(bankAccount=None, bankAccountSecretRef={"name": "s"})
        assert books.wish["bank_account"] == "IRTEST2"

    @pytest.mark.parametrize("secrets", [{}, {"s": {"data": {"other": "eA=="}}}])
    async def test_that_is_missing_is_asked_for(self, secrets: dict[str, Any]) -> None:
        books = Books(kept(), secrets)
        result = await books.reconcile(bankAccount=None, bankAccountSecretRef={"name": "s"})
        assert told(result)["Registered"] == ("False", "BankAccountMissing")
        assert result.conditions[0].message == "expected the Secret s with the key account in the namespace shops"
        assert (books.order, result.retry) == ([], True)

    async def test_is_not_missed_by_a_merchant_who_is_registered(self) -> None:
        books = Books(kept())
        result = await books.reconcile(registered=True, bankAccount=None, bankAccountSecretRef={"name": "s"})
        assert books.wish["bank_account"] is None
        assert told(result)["Ready"] == ("True", "Ready")

    async def test_in_the_object_is_not_taken_in_production(self) -> None:
        books = Books(kept())
        result = await books.reconcile(sandbox=False)
        assert told(result)["Registered"] == ("False", "BankAccountInObject")
        assert books.order == []


class TestCoresNo:
    @pytest.mark.parametrize("code", ["username_taken", "validation_failed", "merchant_closed", "operator_token_wrong"])
    async def test_is_told_and_tried_again(self, code: str) -> None:
        result = await Books(CoreRefused(409, code, "no")).reconcile()
        assert result.conditions[-1].type == "Ready"
        assert result.conditions[-1].status == "False"
        assert result.retry

    async def test_to_a_version_that_was_overtaken_changes_nothing(self) -> None:
        result = await Books(CoreRefused(409, "version_stale", "overtaken")).reconcile()
        assert result == Result(is_stale=True)


class TestLettingGo:
    @pytest.mark.parametrize(("policy", "reason"), [("Close", "Closed"), ("Retain", "Released")])
    async def test_is_done_when_core_says_so_and_told(self, policy: str, reason: str) -> None:
        books = Books(kept(released=True))
        result = await books.reconcile(deleted=True, deletionPolicy=policy)
        assert (told(result)["Ready"], result.retry) == (("False", reason), False)
        assert books.wish["deletion"] == policy.lower()
        assert books.order == ["core shops/shop"]

    @pytest.mark.parametrize(("pending", "reason"), [("30.00", "WaitsForPending"), ("0.00", "WaitsForRepayment")])
    async def test_waits_for_the_books_and_says_why(self, pending: str, reason: str) -> None:
        books = Books(kept(state="suspended", pending_amount=pending, waits_for=["what for"]))
        result = await books.reconcile(deleted=True, registered=True, deletionPolicy="Close")
        # what was asked for was taken back
        assert told(result) == {"PendingApproval": ("False", "NothingWaits"), "Ready": ("False", reason)}
        said = "not closed yet: what for; deletionPolicy: Retain would let it go, suspended"
        assert result.conditions[-1].message == said
        assert (result.members["state"], result.retry) == ("suspended", True)

    @pytest.mark.parametrize("error", [CoreUnavailable("away"), CoreRefused(401, "operator_token_wrong", "no")])
    async def test_waits_for_core(self, error: Exception) -> None:
        assert (await Books(error).reconcile(deleted=True)).retry

    @pytest.mark.parametrize("code", ["username_taken", "validation_failed"])
    async def test_of_what_core_never_took_is_done_at_once(self, code: str) -> None:
        assert await Books(CoreRefused(409, code, "no")).reconcile(deleted=True) == Result()
        assert (await Books(CoreRefused(409, code, "no")).reconcile(deleted=True, registered=True)).retry

    @pytest.mark.parametrize(("policy", "waits"), [("Retain", False), ("Close", True)])
    async def test_of_an_older_version_is_done_when_there_is_nothing_to_do(self, policy: str, *, waits: bool) -> None:
        books = Books(CoreRefused(409, "version_stale", "overtaken"))
        assert (await books.reconcile(deleted=True, registered=True, deletionPolicy=policy)).retry is waits
