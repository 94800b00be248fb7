"""What every answer of the public listener tells browsers (OWASP's secure headers)."""

from core.environment import ENVIRONMENT
from etebar_common.environment import Profile

Encoded = list[tuple[bytes, bytes]]

# an answer of the API is data: nothing of it is ever run, shown in a frame or kept
OF_DATA = b"default-src 'none'; frame-ancestors 'none'"
# the admin and the API's page load what this listener serves; the latter styles itself from within
OF_PAGES = (
    b"default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    b"form-action 'self'; frame-ancestors 'none'"
)
HSTS_SECONDS = 365 * 24 * 3600
CONTENT_TYPE, CONTENT_POLICY, CACHE_CONTROL = b"content-type", b"content-security-policy", b"cache-control"


def always(profile: Profile) -> Encoded:
    """Those that are the same for all; browsers are told to use TLS alone where there is real money.

    No Access-Control-Allow-Origin is among them, nor anywhere: pages of other origins read nothing.
    """
    headers = [
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
    ]
    if profile is Profile.PRODUCTION:
        headers.append((b"strict-transport-security", f"max-age={HSTS_SECONDS}".encode()))
    return headers


_ALWAYS = always(ENVIRONMENT.etebar_profile)


def secured(headers: Encoded) -> Encoded:
    """An answer's headers, names in lower case, with those that it lacks."""
    named = dict(headers)
    is_page = named.get(CONTENT_TYPE, b"").startswith(b"text/html")
    own = [*_ALWAYS, (CONTENT_POLICY, OF_PAGES if is_page else OF_DATA)]
    if named.get(CONTENT_TYPE, b"").startswith(b"application/"):
        own.append((CACHE_CONTROL, b"no-store"))
    return [*headers, *(header for header in own if header[0] not in named)]
