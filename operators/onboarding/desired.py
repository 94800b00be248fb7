"""From a Merchant object to the wish that core is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

GROUP, VERSION = "etebar.dev", "v1alpha1"
MERCHANTS, TOP_UPS = "merchants", "pooltopups"
ROTATE_ANNOTATION = "etebar.dev/rotate-credentials"


class DeletionPolicy(StrEnum):
    RETAIN = "Retain"
    CLOSE = "Close"


class DriftPolicy(StrEnum):
    CORRECT = "Correct"
    REPORT = "Report"


@dataclass(frozen=True, slots=True)
class SecretKey:
    """Where a Secret of the object's namespace holds something."""

    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantObject:
    """A Merchant object, its defaults filled in. `bank_account` is in the object itself in sandboxes only."""

    namespace: str
    name: str
    uid: str
    created_at: str
    generation: int
    is_deleted: bool
    rotation: str
    username: str
    bank_account: str | None
    bank_account_secret: SecretKey | None
    requested_credit: str
    credit_limit: str
    approved: bool
    suspended: bool
    credentials_secret: str
    deletion_policy: DeletionPolicy
    drift_policy: DriftPolicy

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "MerchantObject":
        """Reads an object that the API server has accepted."""
        metadata, spec = body["metadata"], body["spec"]
        reference = spec.get("bankAccountSecretRef")
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            created_at=metadata["creationTimestamp"],
            generation=metadata["generation"],
            is_deleted="deletionTimestamp" in metadata,
            rotation=metadata.get("annotations", {}).get(ROTATE_ANNOTATION, ""),
            username=spec["username"],
            bank_account=spec.get("bankAccount"),
            bank_account_secret=SecretKey(reference["name"], reference.get("key", "account")) if reference else None,
            requested_credit=spec.get("requestedCredit", spec["creditLimit"]),
            credit_limit=spec["creditLimit"],
            approved=spec.get("approved", False),
            suspended=spec.get("suspended", False),
            credentials_secret=spec.get("credentialsSecretName", f"{metadata['name']}-credentials"),
            deletion_policy=DeletionPolicy(spec.get("deletionPolicy", DeletionPolicy.RETAIN)),
            drift_policy=DriftPolicy(spec.get("driftPolicy", DriftPolicy.CORRECT)),
        )

    def wish(
        self, *, bank_account: str | None, password: str | None, credentials_version: int | None
    ) -> dict[str, Any]:
        """The body of core's PUT; None is for what is not known now."""
        return {
            "uid": self.uid,
            "created_at": self.created_at,
            "generation": self.generation,
            "username": self.username,
            "bank_account": bank_account,
            "requested_credit": self.requested_credit,
            "credit_limit": self.credit_limit,
            "approved": self.approved,
            "suspended": self.suspended,
            "password": password,
            "credentials_version": credentials_version,
            "drift_policy": self.drift_policy.lower(),
            "deletion": self.deletion_policy.lower() if self.is_deleted else None,
        }
