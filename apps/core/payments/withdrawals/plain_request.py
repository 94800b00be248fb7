"""Recognises the one request that comes by the thousand, so that it need not go through all of DRF."""

from decimal import Decimal

from django.http import HttpRequest

from core.client_address import client_address
from core.json_parser import parse_json
from core.rate_limits import AddressRateLimit, MerchantRateLimit
from core.request_context import context_of
from etebar_common.money import parse_amount
from etebar_common.problems import MalformedRequest, TokenInvalid
from payments.tokens.authentication import caller_of, user_of_token

MEDIA_TYPES = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
ACCEPTED = frozenset({"*/*", "application/json", "application/json, */*"})
BEARER = "Bearer "


def plain_withdrawal(request: HttpRequest) -> Decimal | None:
    """The amount, when a merchant asks for one and nothing about the request is unusual or wrong; else None.

    What is wrong is found again, and answered, on the long way. Notes the caller in the request's context.
    """
    meta = request.META
    authorization = str(meta.get("HTTP_AUTHORIZATION", ""))
    if (
        request.method != "POST"
        or str(meta.get("CONTENT_TYPE", "")).lower() not in MEDIA_TYPES
        or meta.get("HTTP_ACCEPT", "*/*") not in ACCEPTED
        or not authorization.startswith(BEARER)
    ):
        return None
    try:
        user = user_of_token(authorization.removeprefix(BEARER).encode("ascii"))
        body = parse_json(request.body)
        amount = parse_amount(body["amount"]) if isinstance(body, dict) and body.keys() == {"amount"} else None
    except (TokenInvalid, MalformedRequest, ValueError):
        return None
    if amount is None or user.merchant_id is None:
        return None
    context_of(request).user = user
    return amount


def count_request(request: HttpRequest) -> None:
    """Counts the request against its limits; raises RateLimited."""
    if AddressRateLimit.limit() is not None:
        AddressRateLimit.count(client_address(request))
    MerchantRateLimit.count(str(caller_of(request).pk))
