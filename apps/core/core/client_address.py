"""Whose address a request came from: X-Forwarded-For counts only as far as trusted proxies wrote it."""

from functools import cache
from ipaddress import ip_address, ip_network

from django.http import HttpRequest

from core.environment import ENVIRONMENT, Network


@cache
def _trusted() -> tuple[Network, ...]:
    return tuple(ip_network(value) for value in ENVIRONMENT.trusted_proxies)


def _is_trusted(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _trusted())


def client_address(request: HttpRequest) -> str:
    """The nearest address that no trusted proxy vouches for as one of its own."""
    # a server on a Unix socket names no peer; whoever is there is on this machine
    peer = str(request.META.get("REMOTE_ADDR") or "127.0.0.1")
    if not _trusted():
        return peer
    hops = [hop.strip() for hop in str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
    address = peer
    while hops and _is_trusted(address):
        candidate = hops.pop()
        try:
            parsed = ip_address(candidate)
        except ValueError:
            break
        if getattr(parsed, "scope_id", None):
            break  # a zone means something on the sender's machine only
        address = str(parsed)
    return address
