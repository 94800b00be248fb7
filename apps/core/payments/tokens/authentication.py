"""JSON Web Tokens: who the caller is, from the token alone, without a query.

A thin wrapper around simplejwt. The token carries the merchant's id; whether the merchant may withdraw is decided by
the money transaction, which reads its state anyway. Staff rights are read from the database at each request.
"""

import time
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar

from django.contrib.auth.models import User
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from core.request_context import context_of
from etebar_common.problems import NotAuthenticated, PermissionDenied, TokenInvalid
from payments.models import Merchant
from payments.tokens.api_key import is_api_key, remembered, user_of_key
from payments.tokens.caller import TokenUser, require_scope

BEARER = b"bearer"
CACHED_TOKENS = 10_000
TOTP_CLAIM = "totp"

T = TypeVar("T", bound=Token)


def add_claims(token: T, user: User, merchant_id: int | None) -> T:
    """Puts what TokenUser needs into a token; the access tokens of a refresh token carry it on."""
    token["username"] = user.get_username()
    token["merchant_id"] = merchant_id
    return token


def refresh_token_for(user: User, *, by_totp: bool = False) -> RefreshToken:
    """A new refresh token for the user, who showed a code or did not; those that it is spent for say the same."""
    merchant_id = Merchant.objects.filter(user=user).values_list("id", flat=True).first()
    token = add_claims(RefreshToken.for_user(user), user, merchant_id)
    token_forget(token["jti"])
    token[TOTP_CLAIM] = by_totp
    return token


def token_forget(jti: str) -> None:
    """Leaves of a refresh token its id: simplejwt keeps it whole, for whoever reads the table or a backup of it."""
    OutstandingToken.objects.filter(jti=jti).update(token="")


def access_token_for(user: User, merchant_id: int | None, lifetime: timedelta) -> AccessToken:
    """An access token alone, for a time of its own; leaves no trace in the database."""
    token = AccessToken.for_user(user)
    token.set_exp(lifetime=lifetime)
    return add_claims(token, user, merchant_id)


def user_of_token(token: bytes) -> TokenUser:
    """Whom an access token or an API key names, the latter by a look into the database; raises TokenInvalid."""
    if is_api_key(token):
        return user_of_key(token)
    try:
        expires_at, user = _verified(token)
        if expires_at <= time.time():
            expires_at, user = _verified.__wrapped__(token)
    except (TokenError, KeyError, TypeError, ValueError) as error:
        raise TokenInvalid(str(error)) from error
    return user


def known_user(token: bytes) -> TokenUser | None:
    """The same as far as it is known without asking the database: of an API key, what is remembered."""
    return remembered(token) if is_api_key(token) else user_of_token(token)


# a client sends the same token again and again; checking its signature was a fifth of a request
@lru_cache(maxsize=CACHED_TOKENS)
def _verified(token: bytes) -> tuple[int, TokenUser]:
    """When the token expires, and its user."""
    claims = AccessToken(token.decode("ascii"))  # type: ignore[arg-type] # simplejwt takes text, its hints do not
    user = TokenUser(pk=int(claims["user_id"]), username=str(claims["username"]), merchant_id=claims["merchant_id"])
    return int(claims["exp"]), user


def is_staffs(authorization: str) -> bool:
    """Whether an Authorization header has a good token that is no merchant's; whose rights they are is for others."""
    scheme, _, token = authorization.partition(" ")
    try:
        user = known_user(token.strip().encode()) if scheme.lower().encode() == BEARER else None
    except TokenInvalid:
        return False
    return user is not None and user.merchant_id is None


class TokenAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer`."""

    def authenticate(self, request: Request) -> tuple[TokenUser, None] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != BEARER:
            return None
        if len(parts) != 2:  # noqa: PLR2004 - the scheme and the token
            raise TokenInvalid("expected `Authorization: Bearer` and one token")
        user = user_of_token(parts[1])
        context_of(request).user = user
        require_scope(user, request.method, (request.parser_context or {}).get("view"))
        return user, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the signature of BaseAuthentication
        return 'Bearer realm="etebar"'


def caller_of(request: HttpRequest | Request) -> TokenUser:
    """Who sent the request; raises NotAuthenticated without a token."""
    user = context_of(request).user
    if user is None:
        raise NotAuthenticated("expected an Authorization: Bearer header")
    return user


def merchant_id_of(request: HttpRequest | Request) -> int:
    """The merchant whose token it is; raises PermissionDenied for staff."""
    merchant_id = caller_of(request).merchant_id
    if merchant_id is None:
        raise PermissionDenied("this account is staff, not a merchant")
    return merchant_id
