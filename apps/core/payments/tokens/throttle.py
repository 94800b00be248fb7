"""How often a password may be guessed, so that nobody can lock somebody else out (docs/adr/0027)."""

import hmac
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address, ip_address, ip_network

from core.environment import ENVIRONMENT
from core.rate_limits import LogInAccountRateLimit, LogInAddressRateLimit, LogInPairRateLimit, limiter

IPV6_PREFIX = 64
_KEY = ENVIRONMENT.secret_key.get_secret_value().encode()


def _digest(text: str) -> str:
    """Keyed: whoever reads Redis learns neither names nor who logs in from where."""
    return hmac.digest(_KEY, f"log-in\0{text}".encode(), "sha256").hex()[:32]


def network_of(address: str) -> str:
    """What one subscriber has: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address) or parsed.ipv4_mapped:
        return str(getattr(parsed, "ipv4_mapped", None) or parsed)
    return str(ip_network((int(parsed), IPV6_PREFIX), strict=False))


@dataclass(frozen=True)
class Attempt:
    """One attempt to log in.

    It is counted before the password is looked at, or guesses at the same time would all be let through; a success is
    given back. An address that has logged in to the account before has a count of its own there, so that strangers,
    however many, cannot have it refused; and its failures are no part of the strangers' count.
    """

    username: str
    address: str

    @cached_property
    def _network(self) -> str:
        return _digest(network_of(self.address))

    @cached_property
    def _account(self) -> str:
        return _digest(self.username[:150])

    @cached_property
    def _is_known(self) -> bool:
        return LogInAccountRateLimit.limit() is None or limiter().remembers(self._account, self._network)

    @property
    def _pair(self) -> str:
        return f"{self._account}/{self._network}"

    def begin(self) -> None:
        """Raises RateLimited when the address, or strangers to the account, have failed too often."""
        LogInAddressRateLimit.count(self._network)
        LogInPairRateLimit.count(self._pair)
        if not self._is_known:
            LogInAccountRateLimit.count(self._account)

    def take_back(self) -> None:
        """Nothing of this attempt stays counted."""
        LogInAddressRateLimit.give_back(self._network)
        LogInPairRateLimit.give_back(self._pair)
        if not self._is_known:
            LogInAccountRateLimit.give_back(self._account)

    def succeed(self) -> None:
        """The password was right: the attempt is taken back, and its address is known to the account from now on."""
        self.take_back()
        limiter().remember(self._account, self._network)
