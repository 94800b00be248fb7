"""Who an API key is: looked up in the database, and remembered for as long as a revoked one may still be taken."""

import hashlib
import hmac
import re
import threading
import time
from datetime import timedelta

from django.utils import timezone

from etebar_common.problems import TokenInvalid
from payments.models import ApiKey
from payments.tokens.caller import TokenUser

PREFIX = "etk_"
FORM = re.compile(rb"etk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
REMEMBERED_SECONDS = 5.0
REMEMBERED_KEYS = 10_000
# last_used_at is no finer
USED_SECONDS = 60.0

_remembered: dict[bytes, tuple[float, TokenUser]] = {}
_remembering = threading.Lock()


def is_api_key(token: bytes) -> bool:
    """Whether it looks like one; whose, if anybody's, is for user_of_key."""
    return token.startswith(PREFIX.encode())


def digest_of(key: bytes) -> str:
    """What is kept of a key. It has 256 random bits: no slow hash would make it harder to guess."""
    return hashlib.sha256(key).hexdigest()


def remembered(key: bytes) -> TokenUser | None:
    """Whose key it was a moment ago; asks no database."""
    until, user = _remembered.get(key, (0.0, None))
    return user if until > time.monotonic() else None


def user_of_key(key: bytes) -> TokenUser:
    """Whose key it is; raises TokenInvalid for one that is unknown, revoked or expired."""
    return remembered(key) or _looked_up(key)


def forget_all() -> None:
    """Has every key looked up again."""
    _remembered.clear()


def _looked_up(key: bytes) -> TokenUser:
    form = FORM.fullmatch(key)
    found = ApiKey.objects.select_related("merchant__user").filter(pk=form[1].decode()).first() if form else None
    digest = digest_of(key)
    if found is None or not _is_good(found, digest):
        raise TokenInvalid("the API key is unknown, revoked or expired")
    _mark_used(found, digest)
    account = found.merchant.user
    user = TokenUser(account.pk, account.get_username(), found.merchant_id, frozenset(found.scopes))
    with _remembering:
        if len(_remembered) >= REMEMBERED_KEYS:
            _remembered.clear()
        _remembered[key] = (time.monotonic() + REMEMBERED_SECONDS, user)
    return user


def _is_good(found: ApiKey, digest: str) -> bool:
    now = timezone.now()
    is_current = hmac.compare_digest(found.digest, digest)
    is_previous = found.previous_until is not None and found.previous_until > now
    is_known = is_current or (hmac.compare_digest(found.previous_digest, digest) and is_previous)
    is_over = found.revoked_at is not None or (found.expires_at is not None and found.expires_at <= now)
    return is_known and not is_over and found.merchant.user.is_active


def _mark_used(found: ApiKey, digest: str) -> None:
    now = timezone.now()
    row = ApiKey.objects.filter(pk=found.pk)
    if found.last_used_at is None or found.last_used_at < now - timedelta(seconds=USED_SECONDS):
        row.update(last_used_at=now)
    if found.current_used_at is None and found.digest == digest:
        # not of one that was rotated meanwhile
        row.filter(digest=digest).update(current_used_at=now)
