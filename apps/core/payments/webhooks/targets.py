"""Where a webhook may go: a public address, and the very one that was looked at (docs/security.md).

A name is resolved once and the connection is made to an address of that answer, so that a second answer cannot lead
anywhere else.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from core.environment import ENVIRONMENT
from etebar_common.environment import Profile

Address = IPv4Address | IPv6Address

HTTPS_PORTS = (443, 8443)
DEFAULT_PORTS = {"http": 80, "https": 443}
# what `is_global` takes for public, though it leads through another network or nowhere
NOT_PUBLIC = tuple(
    ip_network(each)
    for each in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/23",
        "2002::/16",
        "fec0::/10",
    )
)


class TargetRefused(ValueError):  # noqa: N818 - a fact
    """A webhook must not go there; the message says why, for the merchant."""


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an endpoint's URL; `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str


def target_of(url: str) -> Target:
    """The URL's parts, as far as it tells them; raises TargetRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise TargetRefused(f"is no URL: {error}") from error
    _require_scheme(parts.scheme)
    if not parts.hostname or "@" in parts.netloc:
        raise TargetRefused("expected a host name, without user or password")
    if parts.fragment:
        raise TargetRefused("expected no fragment: it would not be sent")
    if ENVIRONMENT.etebar_profile is Profile.PRODUCTION and port not in HTTPS_PORTS:
        raise TargetRefused(f"expected the port {' or '.join(map(str, HTTPS_PORTS))}, not {port}")
    target = Target(
        parts.scheme, parts.hostname, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    )
    literal = _literal(target.host)
    if literal is not None:
        _require_allowed(literal)
    return target


def address_of(target: Target) -> str:
    """The address to connect to, by one look-up; raises TargetRefused when any of the host's is not allowed."""
    literal = _literal(target.host)
    if literal is not None:
        return str(literal)
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TargetRefused(f"the name {target.host} cannot be resolved: {error}") from error
    addresses = [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]
    for each in addresses:
        _require_allowed(each)
    return str(addresses[0])


def _require_scheme(scheme: str) -> None:
    allowed = ("https",) if ENVIRONMENT.etebar_profile is Profile.PRODUCTION else ("https", "http")
    if scheme not in allowed:
        raise TargetRefused(f"expected a URL that begins with {' or '.join(f'{each}://' for each in allowed)}")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _require_allowed(address: Address) -> None:
    real = getattr(address, "ipv4_mapped", None) or address
    if any(real in ip_network(each) for each in ENVIRONMENT.webhook_allowed_networks):
        return
    if not real.is_global or real.is_multicast or any(real in network for network in NOT_PUBLIC):
        raise TargetRefused(f"{address} is not a public address")
