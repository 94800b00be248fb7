"""From an object to what core is asked."""

import pytest
from onboarding_helpers import body, wished

from onboarding.desired import DeletionPolicy, DriftPolicy, MerchantObject, SecretKey


class TestDefaults:
    def test_are_those_of_the_definition(self) -> None:
        found = MerchantObject.of(body(approved=False))
        assert (found.requested_credit, found.credentials_secret) == ("100.00", "shop-credentials")
        assert (found.deletion_policy, found.drift_policy) == (DeletionPolicy.RETAIN, DriftPolicy.CORRECT)
        assert (found.suspended, found.rotation, found.is_deleted) == (False, "", False)

    def test_a_secrets_key_is_account(self) -> None:
        assert wished(bankAccountSecretRef={"name": "s"}).bank_account_secret == SecretKey("s", "account")


class TestTheWish:
    def test_has_what_core_asks_for(self) -> None:
        asked = wished(requestedCredit="500.00", suspended=True, driftPolicy="Report").wish(
            bank_account="IRTEST1", password="p", credentials_version=3
        )
        assert asked == {
            "uid": body()["metadata"]["uid"],
            "created_at": "2026-01-01T00:00:00Z",
            "generation": 1,
            "username": "shop",
            "bank_account": "IRTEST1",
            "requested_credit": "500.00",
            "credit_limit": "100.00",
            "approved": True,
            "suspended": True,
            "password": "p",
            "credentials_version": 3,
            "drift_policy": "report",
            "deletion": None,
        }

    @pytest.mark.parametrize("policy", ["Retain", "Close"])
    def test_of_a_deleted_object_names_its_policy(self, policy: str) -> None:
        deleted = body(deletionPolicy=policy)
        deleted["metadata"]["deletionTimestamp"] = "2026-01-02T00:00:00Z"
        found = MerchantObject.of(deleted)
        assert found.wish(bank_account=None, password=None, credentials_version=None)["deletion"] == policy.lower()
