"""The states of a key (docs/adr/0005): the table that the API's behaviour and its tests come from."""

from enum import StrEnum

from django.db import connection

from payments.idempotency.services import REFUSED_STATUS
from payments.models import IdempotencyKey


class KeyState(StrEnum):
    """What became of a key. A key that left no trace has no state: its request runs."""

    RUNNING = "running"
    PENDING = "pending"
    SETTLED = "settled"
    FAILED = "failed"
    REFUSED = "refused"
    DONE = "done"


def state_of(row: IdempotencyKey) -> KeyState:
    """The state of a stored key: a withdrawal's own state, else whether the request was refused or done."""
    if row.withdrawal is not None:
        return KeyState(row.withdrawal.state)
    return KeyState.REFUSED if row.status == REFUSED_STATUS else KeyState.DONE


def explain_key(*, scope: str, key: str) -> tuple[KeyState | None, IdempotencyKey | None]:
    """The key's state and row; (None, None) for a key that left no trace."""
    running = _is_running(scope, key)
    # looked up after: what has ended since is found
    row = IdempotencyKey.objects.select_related("withdrawal").filter(scope=scope, key=key).first()
    if row is not None:
        return state_of(row), row
    return (KeyState.RUNNING if running else None), None


def _is_running(scope: str, key: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payments_key_is_running(%s, %s)", [scope, key])
        return bool(cursor.fetchone()[0])
