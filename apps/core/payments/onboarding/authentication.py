"""The operator's own credential; nothing else is let in, and it opens nothing else."""

import hmac
from typing import ClassVar

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from core.environment import ENVIRONMENT
from etebar_common.problems import OperatorTokenWrong

BEARER = b"Bearer "


class Operator:
    """Who shows the token."""

    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False


class OperatorAuthentication(BaseAuthentication):
    """`Authorization: Bearer` and OPERATOR_TOKEN, or OPERATOR_TOKEN_NEXT while it is replaced."""

    def authenticate(self, request: Request) -> tuple[Operator, None]:
        presented = get_authorization_header(request)
        valid = [token for token in (ENVIRONMENT.operator_token, ENVIRONMENT.operator_token_next) if token]
        # all are compared: the time says nothing about which
        matches = [hmac.compare_digest(presented, BEARER + token.get_secret_value().encode()) for token in valid]
        if not any(matches):
            raise OperatorTokenWrong("expected `Authorization: Bearer` and the operator's token")
        return Operator(), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - the signature of BaseAuthentication
        return 'Bearer realm="etebar-internal"'
