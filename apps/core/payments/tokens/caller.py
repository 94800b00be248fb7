"""Who asks, as every door knows them, and what an API key is for."""

from dataclasses import dataclass
from typing import ClassVar

from etebar_common.problems import ScopeMissing

WITHDRAWALS_WRITE, WITHDRAWALS_READ = "withdrawals:write", "withdrawals:read"
STATEMENTS_READ, WEBHOOKS_MANAGE = "statements:read", "webhooks:manage"
SCOPES = (WITHDRAWALS_WRITE, WITHDRAWALS_READ, STATEMENTS_READ, WEBHOOKS_MANAGE)

# a view's `api_key_scope`: what a key needs for all of its methods, or for each of them; without one, keys are refused
ByMethod = dict[str, str]


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The caller as the token names it; `merchant_id` is None for staff, `scopes` but for API keys."""

    pk: int
    username: str
    merchant_id: int | None
    scopes: frozenset[str] | None = None
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False

    @property
    def id(self) -> int:
        return self.pk

    @property
    def idempotency_scope(self) -> str:
        """Whose keys are told apart from whose."""
        return f"user:{self.pk}"

    def may(self, scope: str) -> bool:
        """Whether the scope is among an API key's; who logged in by password has all."""
        return self.scopes is None or scope in self.scopes


def require_scope(user: TokenUser, method: str | None, view: object) -> None:
    """Raises ScopeMissing for an API key that has not what the view asks for, or a view that is for people alone."""
    if user.scopes is None:
        return
    asked: str | ByMethod | None = getattr(view, "api_key_scope", None)
    scope = asked.get(method or "") if isinstance(asked, dict) else asked
    if scope is None:
        raise ScopeMissing("no API key may do this; log in with the password")
    if not user.may(scope):
        raise ScopeMissing(f"the API key has not the scope {scope}", extensions={"scope": scope})
