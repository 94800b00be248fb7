"""/api/v1/auth/token: username and password for tokens."""

from typing import Any

from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken, UntypedToken

from core.openapi import describe
from core.rate_limits import AddressRateLimit
from core.serializers import StrictSerializer, TextField, validated
from etebar_common.problems import TokenInvalid
from payments.merchants.serializers import PasswordField
from payments.tokens.log_in import API, Credentials, log_in
from payments.tokens.services import token_pair, token_refresh

MAXIMUM_TOKEN_LENGTH = 4096


class CredentialsSerializer(StrictSerializer):
    username = TextField(max_length=150)
    password = PasswordField()
    otp = TextField(max_length=16, required=False, default="", allow_blank=True, write_only=True)


class RefreshSerializer(StrictSerializer):
    refresh = TextField(max_length=MAXIMUM_TOKEN_LENGTH)


class VerifySerializer(StrictSerializer):
    token = TextField(max_length=MAXIMUM_TOKEN_LENGTH)


class TokenPairSerializer(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()


class VerifiedSerializer(serializers.Serializer[Any]):
    """An empty object: the token is good."""


class TokenView(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_classes = ()  # failures are counted, and log_in tells them

    @describe("Log in", request=CredentialsSerializer, answers={200: TokenPairSerializer}, problems=(401,), public=True)
    def post(self, request: Request) -> Response:
        """An access token for the Authorization header, and a refresh token for the next one.

        Staff with a second factor send its code as `otp`.
        """
        fields = validated(CredentialsSerializer, request.data)
        entered = log_in(request._request, Credentials(**fields, door=API))  # noqa: SLF001 - no other way to it
        return Response(token_pair(entered))


class RefreshView(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_classes = (AddressRateLimit,)

    @describe(
        "Refresh a token", request=RefreshSerializer, answers={200: TokenPairSerializer}, problems=(401,), public=True
    )
    def post(self, request: Request) -> Response:
        """A new pair; the refresh token given is spent."""
        return Response(token_refresh(**validated(RefreshSerializer, request.data)))


class VerifyView(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_classes = (AddressRateLimit,)

    @describe(
        "Verify a token", request=VerifySerializer, answers={200: VerifiedSerializer}, problems=(401,), public=True
    )
    def post(self, request: Request) -> Response:
        """200 if the token is ours, not expired and not revoked; else 401."""
        fields = validated(VerifySerializer, request.data)
        try:
            token = UntypedToken(fields["token"])
            if token["token_type"] == RefreshToken.token_type:  # refused here when it is revoked
                RefreshToken(fields["token"])
        except TokenError as error:
            raise TokenInvalid(str(error)) from error
        return Response({})
