"""What ends refresh tokens before their time: an account that stops, another second factor, another password."""

from django.contrib.auth.models import User
from django.db import transaction
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken

from payments.locks import lock_refresh_tokens


@transaction.atomic
def tokens_spend(user: User) -> None:
    """No refresh token of the account is good any more."""
    # what was being refreshed meanwhile has a successor by the next look
    while found := lock_refresh_tokens(user):
        BlacklistedToken.objects.bulk_create((BlacklistedToken(token=token) for token in found), ignore_conflicts=True)


class SpendTokens:
    """A password validator that refuses none: Django tells these of an account's new password, whoever set it."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Every password is good, as far as tokens go."""

    def password_changed(self, password: str, user: User | None = None) -> None:  # noqa: ARG002 - Django's signature
        if user is not None:
            tokens_spend(user)

    def get_help_text(self) -> str:
        return ""
