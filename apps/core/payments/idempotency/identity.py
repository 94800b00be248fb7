"""What makes two requests the same: the caller, the key, and a keyed digest of each field."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from core.environment import ENVIRONMENT
from etebar_common.headers import parse_idempotency_key
from etebar_common.problems import IdempotencyKeyMissing
from payments.tokens.authentication import caller_of

# digests are stored for ever and may be of secrets, so they are keyed by the one key that is never changed
_KEY = ENVIRONMENT.account_fingerprint_key.get_secret_value().encode()
_DIGEST_CHARACTERS = 24
# these are of our making and come again with every request; a caller's values are not kept in memory
_FEW_VALUES = frozenset({"method", "path"})


def _canonical(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value, sort_keys=True, default=str)


def digest_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """Each field's digest; the field's name is part of it, so equal values of two fields do not show as equal."""
    return {
        name: _digest_again(name, value) if name in _FEW_VALUES else _digest(name, _canonical(value))
        for name, value in fields.items()
    }


def _digest(name: str, canonical: str) -> str:
    return hmac.digest(_KEY, f"request\0{name}\0{canonical}".encode(), "sha256").hex()[:_DIGEST_CHARACTERS]


@lru_cache(maxsize=256)
def _digest_again(name: str, value: str) -> str:
    return _digest(name, _canonical(value))


def differing_fields(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """The names of the fields in which two digested requests differ."""
    return sorted(name for name in {*first, *second} if first.get(name) != second.get(name))


@dataclass(frozen=True, slots=True)
class RequestIdentity:
    """One request under one key; `digests` includes the method and the path."""

    scope: str
    key: str
    method: str
    path: str
    digests: dict[str, str]


def identity_of(
    request: HttpRequest | Request, fields: Mapping[str, Any], *, scope: str | None = None, required: bool = False
) -> RequestIdentity | None:
    """The identity of a validated request, None when it brought no key.

    Raises IdempotencyKeyMissing when one is `required`, IdempotencyKeyInvalid when the header is not a key.
    """
    header = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        if required:
            raise IdempotencyKeyMissing("send an Idempotency-Key header: a new random key for each new withdrawal")
        return None
    key = parse_idempotency_key(header)
    method, path = str(request.method), request.path
    digests = digest_fields({"method": method, "path": path, **fields})
    return RequestIdentity(scope or caller_of(request).idempotency_scope, key, method, path, digests)
