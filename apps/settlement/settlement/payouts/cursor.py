"""The cursor of a list of payouts: the last one's place, opaque to the caller."""

import base64
import re
from datetime import datetime
from uuid import UUID

from etebar_common.problems import CursorInvalid
from settlement.payouts.records import Payout

_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,200}\Z", re.ASCII)


def encode(payout: Payout) -> str:
    place = f"{payout.created_at.isoformat()}|{payout.withdrawal_id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[datetime, UUID]:
    """The place that `encode` put in; raises CursorInvalid for anything else."""
    if not _CURSOR.match(cursor):
        raise CursorInvalid("it has characters that no cursor has")
    try:
        place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        created_at, withdrawal_id = place.split("|")
        decoded = datetime.fromisoformat(created_at), UUID(withdrawal_id)
    except ValueError as error:
        raise CursorInvalid from error
    if decoded[0].utcoffset() is None:
        raise CursorInvalid
    return decoded
