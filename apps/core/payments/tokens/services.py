"""What tokens do to the database."""

from django.contrib.auth.models import User
from django.db import transaction
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken

from etebar_common.problems import TokenInvalid
from payments.locks import lock_refresh_token


@transaction.atomic
def token_refresh(*, refresh: str) -> dict[str, str]:
    """Spends a refresh token for a new pair, `{"access", "refresh"}`; of simultaneous ones one gets it.

    Raises TokenInvalid when the token is not good, spent, or of an account that is gone or inactive.
    """
    try:
        # simplejwt reads whether a token is spent and then spends it: two requests could pass between, so the row is
        # locked first, and validate() reads again
        token = RefreshToken(refresh)  # type: ignore[arg-type] # simplejwt takes text, its hints do not
        lock_refresh_token(token["jti"])
        pair = TokenRefreshSerializer().validate({"refresh": refresh})
    except TokenError as error:
        raise TokenInvalid(str(error)) from error
    except (User.DoesNotExist, AuthenticationFailed) as error:
        raise TokenInvalid("the account is gone or inactive") from error
    return {"access": pair["access"], "refresh": pair["refresh"]}


def tokens_spend(user: User) -> None:
    """No refresh token of the account is good any more."""
    outstanding = OutstandingToken.objects.filter(user=user, blacklistedtoken__isnull=True)
    BlacklistedToken.objects.bulk_create(
        (BlacklistedToken(token=token) for token in outstanding), ignore_conflicts=True
    )
