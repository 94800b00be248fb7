"""Sessions in the database under a digest of their keys: who reads the table, or a backup of it, can be nobody."""

import hashlib
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone


class SessionStore(DatabaseStore):
    """Django's; the cookie has the key, the table its digest."""

    def _get_session_from_db(self) -> Any:
        key = self.session_key
        alive = self.model.objects.filter(expire_date__gt=timezone.now())
        found = alive.filter(session_key=_digest(key)).first() if key else None
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return super().exists(_digest(session_key))

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        made = super().create_model_instance(data)
        made.session_key = _digest(made.session_key)
        return made

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(_digest(key))


def _digest(key: str) -> str:
    # 40 characters are the column's
    return hashlib.sha256(key.encode()).hexdigest()[:40]
