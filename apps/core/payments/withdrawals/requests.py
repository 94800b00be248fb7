"""What a request to withdraw asks for; and the short way to it, for the kind that comes by the thousand."""

from decimal import Decimal

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from core.client_address import client_address
from core.json_parser import parse_json
from core.rate_limits import AddressRateLimit, MerchantRateLimit
from core.request_context import context_of
from etebar_common.money import parse_amount
from etebar_common.problems import InternalError, MalformedRequest, TokenInvalid
from payments.idempotency.identity import identity_of
from payments.request_log.writer import opened_row
from payments.tokens.authentication import caller_of, known_user, merchant_id_of
from payments.tokens.caller import WITHDRAWALS_WRITE
from payments.withdrawals.job import WithdrawalCommand

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
        request.get_host()
        user = known_user(authorization.removeprefix(BEARER).encode("ascii"))
        body = parse_json(request.body)
        amount = parse_amount(body["amount"]) if isinstance(body, dict) and body.keys() == {"amount"} else None
    except (DisallowedHost, TokenInvalid, MalformedRequest, ValueError):
        return None
    if amount is None or user is None or user.merchant_id is None or not user.may(WITHDRAWALS_WRITE):
        return None
    context_of(request).user = user
    return amount


def is_limited() -> bool:
    """Whether `count_request` has anything to do."""
    return AddressRateLimit.limit() is not None or MerchantRateLimit.limit() is not None


def count_request(request: HttpRequest) -> None:
    """Counts the request against its limits; raises RateLimited. Waits for Redis."""
    AddressRateLimit.count(client_address(request))
    MerchantRateLimit.count(str(caller_of(request).pk))


def command_of(request: HttpRequest, amount: Decimal) -> WithdrawalCommand:
    """The command of an authenticated merchant's request; raises IdempotencyKeyMissing and IdempotencyKeyInvalid."""
    identity = identity_of(request, {"amount": amount}, required=True)
    if identity is None:
        raise InternalError
    context = context_of(request)
    return WithdrawalCommand(
        merchant_id=merchant_id_of(request),
        amount=amount,
        identity=identity,
        context=context,
        log=opened_row(request, context),
        respond_async=_wants_async(request),
    )


def _wants_async(request: HttpRequest) -> bool:
    preferences = str(request.META.get("HTTP_PREFER", "")).split(",")
    return any(preference.split(";")[0].strip().lower() == "respond-async" for preference in preferences)
