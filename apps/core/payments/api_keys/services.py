"""Makes, replaces and revokes API keys. Every function runs in its caller's transaction."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from etebar_common.problems import ApiKeyLimit, NotFound
from payments.audit.services import Actor, record
from payments.locks import lock_merchant
from payments.models import ApiKey
from payments.tokens.api_key import PREFIX, digest_of

MOST_KEYS = 20
ID_BYTES, SECRET_BYTES = 8, 32
ID = re.compile("[0-9a-f]{16}")


def api_keys_of(merchant_id: int) -> QuerySet[ApiKey]:
    """Those that are not revoked, the first one first."""
    return ApiKey.objects.filter(merchant_id=merchant_id, revoked_at=None).order_by("created_at", "pk")


def api_key_create(
    *, merchant_id: int, name: str, scopes: Sequence[str], by: Actor, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    """The new key's row, and the key itself, which nobody can tell again; raises ApiKeyLimit."""
    lock_merchant(merchant_id)
    if api_keys_of(merchant_id).count() >= MOST_KEYS:
        raise ApiKeyLimit(f"a merchant has at most {MOST_KEYS} API keys")
    key_id = secrets.token_hex(ID_BYTES)
    key = _new_key(key_id)
    made = ApiKey.objects.create(
        pk=key_id,
        merchant_id=merchant_id,
        name=name,
        scopes=sorted(set(scopes)),
        digest=digest_of(key.encode()),
        expires_at=expires_at,
    )
    record(by, "api_key_created", merchant_id=merchant_id, api_key=key_id, scopes=" ".join(made.scopes))
    return made, key


def api_key_rotate(*, merchant_id: int, key_id: str, overlap_hours: int, by: Actor) -> tuple[ApiKey, str]:
    """Another secret under the same id; the one before is good for the overlap. Raises NotFound.

    While an overlap runs and nobody has used the current secret, its answer was lost: the older one stays, no longer
    than both overlaps allow (docs/adr/0035). Without an overlap nothing before is good.
    """
    lock_merchant(merchant_id)
    found = _get(merchant_id, key_id)
    key = _new_key(key_id)
    now = timezone.now()
    until = now + timedelta(hours=overlap_hours)
    if found.previous_until is not None and found.previous_until > now and found.current_used_at is None:
        found.previous_until = min(found.previous_until, until)
    else:
        found.previous_digest, found.previous_until = found.digest, until
    found.digest, found.current_used_at = digest_of(key.encode()), None
    found.save(update_fields=["digest", "previous_digest", "previous_until", "current_used_at"])
    record(by, "api_key_rotated", merchant_id=merchant_id, api_key=key_id, overlap_hours=overlap_hours)
    return found, key


def api_key_revoke(*, merchant_id: int, key_id: str, by: Actor) -> ApiKey:
    """Good for nothing from now on, or within seconds in a process that has just seen it. Raises NotFound."""
    lock_merchant(merchant_id)
    found = _get(merchant_id, key_id)
    found.revoked_at = timezone.now()
    found.save(update_fields=["revoked_at"])
    record(by, "api_key_revoked", merchant_id=merchant_id, api_key=key_id)
    return found


def _get(merchant_id: int, key_id: str) -> ApiKey:
    # what is no id is not asked about: a path may hold what no database takes
    found = api_keys_of(merchant_id).filter(pk=key_id).first() if ID.fullmatch(key_id) else None
    if found is None:
        raise NotFound(f"there is no API key {key_id}")
    return found


def _new_key(key_id: str) -> str:
    return f"{PREFIX}{key_id}_{secrets.token_urlsafe(SECRET_BYTES)}"
