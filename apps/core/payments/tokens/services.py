"""What tokens do to the database."""

import hashlib
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken, Token

from core.environment import ENVIRONMENT
from etebar_common.problems import CredentialsInvalid, TokenInvalid
from payments.audit.services import Actor, record
from payments.locks import lock_account, lock_refresh_token
from payments.staff.second_factor import is_demanded_of
from payments.tokens.authentication import TOTP_CLAIM, refresh_token_for, token_forget
from payments.tokens.log_in import Entered

Pair = dict[str, str]


class _SpentOrNot(RefreshToken):
    """A refresh token of ours that has not expired; whether it is spent is looked up under its lock."""

    def verify(self) -> None:
        Token.verify(self)


def token_refresh(*, refresh: str) -> Pair:
    """Spends a refresh token for a new pair, `{"access", "refresh"}`.

    For REFRESH_GRACE_SECONDS the spent token is answered with the same refresh token again: the answer may have been
    lost, or several requests came at once. Shown later, or after its successor was spent, somebody has it who should
    not: what came of it is revoked (RFC 9700, section 4.14.2). Raises TokenInvalid when the token is not good, revoked,
    or of an account that is gone or inactive.
    """
    try:
        token = _SpentOrNot(refresh)  # type: ignore[arg-type] # simplejwt takes text, its hints do not
    except TokenError as error:
        raise TokenInvalid(str(error)) from error
    with transaction.atomic():
        pair = _turned(token)
    # not inside: what was revoked stays so
    if pair is None:
        raise TokenInvalid("Token is blacklisted")
    return pair


@transaction.atomic
def token_pair(entered: Entered) -> Pair:
    """The first pair of who was let in; raises CredentialsInvalid when the password was replaced meanwhile."""
    # a password that is being set has spent the tokens of before when the lock is there, or spends this one
    if lock_account(entered.user.pk).password != entered.user.password:
        raise CredentialsInvalid
    return _pair(refresh_token_for(entered.user, by_totp=entered.by_totp))


def successor_id(jti: str) -> str:
    """The id of the token that a token is spent for: known beforehand, so that none has two successors."""
    return hashlib.sha256(f"successor of {jti}".encode()).hexdigest()[:32]


def _turned(token: RefreshToken) -> Pair | None:
    """The pair for a token; None when it is spent for good."""
    # two requests could both find it unspent, so its row is locked before anything is read
    row = lock_refresh_token(token["jti"])
    if row.user is None or not row.user.is_active:
        raise TokenInvalid("the account is gone or inactive")
    if is_demanded_of(row.user) and not token.get(TOTP_CLAIM):
        raise TokenInvalid("the account needs a second factor now: log in anew")
    spent = BlacklistedToken.objects.filter(token=row).first()
    if spent is None:
        BlacklistedToken.objects.create(token=row)
        return _pair(_successor(token))
    following = OutstandingToken.objects.filter(jti=successor_id(row.jti), blacklistedtoken__isnull=True).first()
    grace = timedelta(seconds=ENVIRONMENT.refresh_grace_seconds)
    if following is not None and timezone.now() - spent.blacklisted_at < grace:
        return _pair(_again(token, following))
    _revoke_successors(row, row.user, token.get("merchant_id"))
    return None


def _pair(refresh: RefreshToken) -> Pair:
    return {"access": str(refresh.access_token), "refresh": str(refresh)}


def _successor(token: RefreshToken) -> RefreshToken:
    token["jti"] = successor_id(token["jti"])
    token.set_exp()
    token.set_iat()
    token.outstand()
    token_forget(token["jti"])
    return token


def _again(token: RefreshToken, following: OutstandingToken) -> RefreshToken:
    """The successor as it was given before: all that it says, its predecessor says, but for what its row has."""
    assert following.created_at is not None  # noqa: S101 - set for every token of ours
    token["jti"] = following.jti
    token.set_exp(from_time=following.expires_at, lifetime=timedelta(0))
    token.set_iat(at_time=following.created_at)
    return token


def _revoke_successors(row: OutstandingToken, user: User, merchant_id: int | None) -> None:
    """Ends whatever came of a spent token, however often it was refreshed since; in the audit when anything was left.

    Each row is locked in turn: one that is being spent meanwhile has its own successor by then.
    """
    revoked = 0
    jti = successor_id(row.jti)
    while OutstandingToken.objects.filter(jti=jti).exists():
        following = lock_refresh_token(jti)
        revoked += BlacklistedToken.objects.get_or_create(token=following)[1]
        jti = successor_id(jti)
    if revoked:
        actor = Actor(user.pk, f"user:{user.get_username()}")
        record(actor, "refresh_token_reused", merchant_id=merchant_id, jti=row.jti)
