"""How long what was given to this process is good for: authorities' certificates, the token's age."""

import logging
import ssl
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from core.environment import ENVIRONMENT

logger = logging.getLogger(__name__)


def certificates() -> Iterator[tuple[str, float]]:
    """Name and the moment (Unix time) at which the first of its certificates ends, of each file that is named."""
    redis_ca = parse_qs(urlsplit(ENVIRONMENT.redis_url).query).get("ssl_ca_certs", [""])[0]
    files = {"database-ca": ENVIRONMENT.db_sslrootcert, "redis-ca": Path(redis_ca) if redis_ca else None}
    for name, path in files.items():
        ends = _ends(path) if path is not None and path.exists() else []
        if ends:
            yield name, min(ends)


def _ends(path: Path) -> list[float]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return [ssl.cert_time_to_seconds(str(each["notAfter"])) for each in context.get_ca_certs()]


def internal_token_made_at() -> float | None:
    """Unix time, as the file that INTERNAL_TOKEN_ROTATED_AT_FILE names says; None when it says nothing."""
    path = ENVIRONMENT.internal_token_rotated_at_file
    text = path.read_text().strip() if path is not None and path.exists() else ""
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except ValueError:
        logger.warning("%s is to hold a time as RFC 3339 has it, not %r", path, text[:40])
        return None
