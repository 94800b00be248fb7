"""Reading the request headers that both services share."""

import re

from etebar_common.problems import IdempotencyKeyInvalid

MAXIMUM_KEY_LENGTH = 255
BARE_KEY_PATTERN = r"^[!#-~]([ -~]*[!-~])?$"
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"\Z', re.ASCII)
_PRINTABLE = re.compile(r"[ -~]+\Z", re.ASCII)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}\Z", re.ASCII)


def parse_idempotency_key(header: str) -> str:
    """The key in an Idempotency-Key header: bare, or a structured-field string (RFC 8941, section 3.3.3).

    Raises IdempotencyKeyInvalid unless it has 1 to 255 printable ASCII characters.
    """
    value = header.strip(" \t")
    if value.startswith('"'):
        quoted = _QUOTED.match(value)
        if not quoted:
            raise IdempotencyKeyInvalid(
                'the quoted form must be a structured-field string: closed by a quote, \\" and \\\\ escaped'
            )
        value = re.sub(r'\\(["\\])', r"\1", quoted[1])
    if not 1 <= len(value) <= MAXIMUM_KEY_LENGTH:
        raise IdempotencyKeyInvalid(f"the key has {len(value)} characters; expected 1 to {MAXIMUM_KEY_LENGTH}")
    if not _PRINTABLE.match(value):
        raise IdempotencyKeyInvalid("the key has a character outside printable ASCII")
    return value


def parse_request_id(header: str | None) -> str | None:
    """The caller's X-Request-ID when it is 1 to 128 harmless characters, else None (a new one is made then)."""
    return header if header and _REQUEST_ID.match(header) else None
