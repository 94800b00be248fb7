"""The Secret with a merchant's credentials: what is to be done about it."""

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onboarding.desired import GROUP, ROTATE_ANNOTATION, VERSION, MerchantObject
from onboarding.errors import SecretNotOwned

PASSWORD_BYTES = 24
LABELS = {"app.kubernetes.io/managed-by": "etebar-onboarding"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The password that is to be in force; `manifest` is the Secret to be written first, None when it is there."""

    password: str
    manifest: dict[str, Any] | None = None


def credentials(wished: MerchantObject, found: Mapping[str, Any] | None) -> Credentials:
    """Keeps the password of the Secret, or issues a new one when there is none or another is asked for.

    Raises SecretNotOwned.
    """
    if found is not None and not _owned(wished, found):
        raise SecretNotOwned(f"the Secret {wished.credentials_secret} is there and does not belong to this object")
    kept = _password(found)
    rotated = (found or {}).get("metadata", {}).get("annotations", {}) or {}
    if kept and rotated.get(ROTATE_ANNOTATION, "") == wished.rotation and _username(found) == wished.username:
        return Credentials(kept)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    return Credentials(password, manifest(wished, password, found))


def manifest(wished: MerchantObject, password: str, found: Mapping[str, Any] | None) -> dict[str, Any]:
    """The Secret; with the version of the one that it replaces, so that a newer one is not overwritten."""
    owner = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Merchant",
        "name": wished.name,
        "uid": wished.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    metadata: dict[str, Any] = {
        "name": wished.credentials_secret,
        "namespace": wished.namespace,
        "labels": LABELS,
        "annotations": {ROTATE_ANNOTATION: wished.rotation},
        "ownerReferences": [owner],
    }
    if found is not None:
        metadata["resourceVersion"] = found["metadata"]["resourceVersion"]
    content = {"username": wished.username, "password": password}
    data = {name: base64.b64encode(value.encode()).decode() for name, value in content.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data}


def text(secret: Mapping[str, Any] | None, key: str) -> str | None:
    """A key's content; None when the Secret, the key or its text is not there."""
    encoded = ((secret or {}).get("data") or {}).get(key)
    if not encoded:
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode().strip() or None
    except ValueError:
        return None


def _password(found: Mapping[str, Any] | None) -> str | None:
    return text(found, "password")


def _username(found: Mapping[str, Any] | None) -> str | None:
    return text(found, "username")


def _owned(wished: MerchantObject, found: Mapping[str, Any]) -> bool:
    owners = found["metadata"].get("ownerReferences") or []
    return any(each.get("uid") == wished.uid for each in owners)
