"""The Secret with a merchant's credentials: what is to be done about it."""

import base64
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onboarding.desired import GROUP, ROTATE_ANNOTATION, VERSION, MerchantObject
from onboarding.errors import SecretNotOwned

PASSWORD_BYTES = 24
NANOSECONDS_OF_A_MILLISECOND = 1_000_000
LABELS = {"app.kubernetes.io/managed-by": "etebar-onboarding"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """The password that is to be in force; `manifest` is the Secret to be written first, None when it is there.

    `version` rises with each password that is issued, so that core can tell a late one.
    """

    password: str
    version: int
    manifest: dict[str, Any] | None = None


def credentials(wished: MerchantObject, found: Mapping[str, Any] | None, at_least: int = 0) -> Credentials:
    """Keeps the password of the Secret, or issues a new one when there is none or another is asked for.

    So it does for a version below `at_least`, which is the one in force: of a Secret that was restored from a backup.
    Raises SecretNotOwned.
    """
    if found is not None and not _owned(wished, found):
        raise SecretNotOwned(f"the Secret {wished.credentials_secret} is there and does not belong to this object")
    kept, version = text(found, "password"), _version(found)
    rotated = (found or {}).get("metadata", {}).get("annotations", {}) or {}
    is_asked = rotated.get(ROTATE_ANNOTATION, "") != wished.rotation or text(found, "username") != wished.username
    if kept and version >= max(at_least, 1) and not is_asked:
        return Credentials(kept, version)
    password, version = secrets.token_urlsafe(PASSWORD_BYTES), _next(max(version, at_least))
    return Credentials(password, version, manifest(wished, password, version, found))


def _version(found: Mapping[str, Any] | None) -> int:
    """The Secret's version; 0 for none that is one."""
    shown = text(found, "version") or ""
    return int(shown) if shown.isascii() and shown.isdecimal() else 0


def _next(version: int) -> int:
    """A higher one: the time, for a Secret that is lost takes its version with it; but a clock may be behind."""
    return max(version + 1, time.time_ns() // NANOSECONDS_OF_A_MILLISECOND)


def manifest(wished: MerchantObject, password: str, version: int, found: Mapping[str, Any] | None) -> dict[str, Any]:
    """The Secret; with the resource's version that it replaces, so that a newer one is not overwritten."""
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
    content = {"username": wished.username, "password": password, "version": str(version)}
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


def _owned(wished: MerchantObject, found: Mapping[str, Any]) -> bool:
    owners = found["metadata"].get("ownerReferences") or []
    return any(each.get("uid") == wished.uid for each in owners)
