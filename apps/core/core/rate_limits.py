"""Rate limits per address, merchant and account name, counted in Redis; without Redis requests go on uncounted."""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import redis
from limits import RateLimitItem, parse
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core import metrics
from core.client_address import client_address
from core.environment import ENVIRONMENT
from etebar_common.problems import RateLimited

if TYPE_CHECKING:
    # DRF's views import this module through the settings
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

REDIS_TIMEOUT_SECONDS = 0.25
PAUSE_AFTER_FAILURE_SECONDS = 5.0
KEPT_MEMBERS = 16
KEPT_SECONDS = 90 * 24 * 3600

# every request asks for its limits; the settings do not change
_parsed = cache(parse)


class Limiter:
    """Counts hits in fixed windows; a Redis that failed is left alone for some seconds: it costs nobody time."""

    def __init__(self, redis_url: str) -> None:
        self._strategy = FixedWindowRateLimiter(
            RedisStorage(
                redis_url,
                socket_timeout=REDIS_TIMEOUT_SECONDS,
                socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
                key_prefix="etebar:limit",
            )
        )
        self._redis = redis.Redis.from_url(
            redis_url, socket_timeout=REDIS_TIMEOUT_SECONDS, socket_connect_timeout=REDIS_TIMEOUT_SECONDS
        )
        self._paused_until = 0.0

    def hit(self, policy: str, limit: RateLimitItem, identity: str, cost: int = 1) -> None:
        """Counts `cost` requests of `identity`; raises RateLimited when the window is full."""
        if time.monotonic() < self._paused_until:
            return
        try:
            # a request that is too large for what is left uses up nothing of it
            fits = cost == 1 or self._strategy.test(limit, policy, identity, cost=cost)
            if fits and self._strategy.hit(limit, policy, identity, cost=cost):
                return
            stats = self._strategy.get_window_stats(limit, policy, identity)
        except (redis.RedisError, OSError) as error:
            self._pause(error)
            return
        metrics.RATE_LIMITED.labels(policy).inc()
        wait_seconds = max(1, int(stats.reset_time - time.time()) + 1)
        raise RateLimited(
            f"more than {limit.amount} requests in {limit.get_expiry()} s ({policy})",
            headers={
                "Retry-After": str(wait_seconds),
                "RateLimit": f'"{policy}";r=0;t={wait_seconds}',
                "RateLimit-Policy": f'"{policy}";q={limit.amount};w={limit.get_expiry()}',
            },
        )

    def give_back(self, policy: str, limit: RateLimitItem, identity: str) -> None:
        """Takes one hit back: what it was counted for turned out to be no reason to refuse anybody."""
        self._unless_away(lambda: self._strategy.hit(limit, policy, identity, cost=-1))

    def remember(self, who: str, member: str) -> None:
        """Keeps `member` with `who`, the latest KEPT_MEMBERS of them, for KEPT_SECONDS after the last."""

        def keep() -> None:
            key = f"etebar:known:{who}"
            with self._redis.pipeline() as pipeline:
                pipeline.zadd(key, {member: time.time()})
                pipeline.zremrangebyrank(key, 0, -KEPT_MEMBERS - 1)
                pipeline.expire(key, KEPT_SECONDS)
                pipeline.execute()

        self._unless_away(keep)

    def remembers(self, who: str, member: str) -> bool:
        """Whether `member` is kept with `who`; True without Redis, where nothing is counted either."""
        score = self._unless_away(lambda: self._redis.zscore(f"etebar:known:{who}", member), default=0.0)
        return score is not None

    def _unless_away(self, ask: Callable[[], Any], default: Any = None) -> Any:
        if time.monotonic() < self._paused_until:
            return default
        try:
            return ask()
        except (redis.RedisError, OSError) as error:
            self._pause(error)
            return default

    def _pause(self, error: Exception) -> None:
        self._paused_until = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
        logger.warning("rate limits are not counted: Redis is away: %s", error)


@cache
def limiter() -> Limiter:
    return Limiter(ENVIRONMENT.redis_url)


class RateLimit(BaseThrottle):
    """One policy: `setting` is `off` or such as `100/minute`; `identity` says who is counted, None for nobody."""

    policy: str
    setting: str

    def identity(self, request: Request) -> str | None:
        raise NotImplementedError

    def allow_request(self, request: Request, view: "APIView") -> bool:  # noqa: ARG002 - the signature of BaseThrottle
        identity = self.identity(request) if self.limit() else None
        if identity is not None:
            self.count(identity)
        return True

    @classmethod
    def limit(cls) -> RateLimitItem | None:
        """The limit that is set; None for `off`."""
        setting = getattr(ENVIRONMENT, cls.setting)
        return None if setting == "off" else _parsed(setting)

    @classmethod
    def count(cls, identity: str, cost: int = 1) -> None:
        """Counts `cost` requests of `identity`; raises RateLimited when that is over the limit."""
        limit = cls.limit()
        if limit is not None and cost:
            limiter().hit(cls.policy, limit, identity, cost)

    @classmethod
    def give_back(cls, identity: str) -> None:
        """Takes one counted request of `identity` back."""
        limit = cls.limit()
        if limit is not None:
            limiter().give_back(cls.policy, limit, identity)


class AddressRateLimit(RateLimit):
    """Every request, by the caller's address."""

    policy, setting = "address", "rate_limit_address"

    def identity(self, request: Request) -> str | None:
        return client_address(request._request)  # noqa: SLF001 - DRF gives no other way to the HttpRequest


class MerchantRateLimit(RateLimit):
    """Requests with a token, by the account."""

    policy, setting = "merchant", "rate_limit_merchant"

    def identity(self, request: Request) -> str | None:
        return str(request.user.pk) if request.user.is_authenticated else None


class LogInAddressRateLimit(RateLimit):
    """Failed attempts to log in, by address: guessing passwords must be slow."""

    policy, setting = "token", "rate_limit_token"


class LogInPairRateLimit(RateLimit):
    """The same of one account by one address, which may be many people's."""

    policy, setting = "token_pair", "rate_limit_token"


class LogInAccountRateLimit(RateLimit):
    """Failed attempts at one account by strangers to it: guessing from many addresses must be slow, too."""

    policy, setting = "token_account", "rate_limit_token_account"


class RegisterRateLimit(AddressRateLimit):
    """Registrations, by address."""

    policy, setting = "register", "rate_limit_register"
