"""Registration, the merchant's own page, and what staff decide about merchants."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.rate_limits import RegisterRateLimit
from core.serializers import StrictSerializer, validated
from payments.idempotency.act import answer_once
from payments.merchants import services
from payments.merchants.representation import merchant_members
from payments.merchants.selectors import merchant_get, merchants_filtered
from payments.merchants.serializers import (
    CreditLimitSerializer,
    MerchantDecisionSerializer,
    MerchantPageSerializer,
    MerchantQuerySerializer,
    MerchantReferenceSerializer,
    MerchantSerializer,
    RegisterSerializer,
)
from payments.models import Merchant
from payments.tokens.authentication import merchant_id_of
from payments.tokens.permissions import IsStaff


def shown(service: Callable[..., Merchant]) -> Callable[..., dict[str, Any]]:
    """The service, answering with the merchant's members as they are after it."""
    return lambda **fields: merchant_members(merchant_get(service(**fields).pk))


class RegisterView(APIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_classes = (RegisterRateLimit,)

    @describe(
        "Register",
        request=RegisterSerializer,
        answers={201: MerchantSerializer},
        problems=(409,),
        key="optional",
        public=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """A new merchant, which staff then approve or refuse."""
        return answer_once(
            request,
            RegisterSerializer,
            shown(services.merchant_register),
            status=201,
            scope=lambda fields: f"register:{fields['username']}",
        )


class MeView(APIView):
    permission_classes = (IsAuthenticated,)

    @describe("Who am I", answers={200: MerchantSerializer})
    def get(self, request: Request) -> Response:
        """The merchant behind the token: state, limit, what is used and what is available."""
        return Response(merchant_members(merchant_get(merchant_id_of(request))))


class MerchantsView(APIView):
    permission_classes = (IsStaff,)

    @describe("List merchants", query=MerchantQuerySerializer, answers={200: MerchantPageSerializer}, staff=True)
    def get(self, request: Request) -> Response:
        """Merchants, newest first, by state."""
        query = validated(MerchantQuerySerializer, request.query_params)
        merchants = merchants_filtered(state=query.get("state"), username=query.get("username"))
        return Response(paginate(request, merchants, merchant_members, query=query))


class MerchantView(APIView):
    permission_classes = (IsStaff,)

    @describe("Get a merchant", answers={200: MerchantSerializer}, problems=(404,), staff=True)
    def get(self, request: Request, merchant_id: int) -> Response:
        """One merchant."""
        return Response(merchant_members(merchant_get(merchant_id)))


def staff_decision(
    summary: str, description: str, fields: type[StrictSerializer], service: Callable[..., Merchant]
) -> type[APIView]:
    """A view by which staff POST one decision about a merchant, and get the merchant as it is after it."""

    class StaffDecisionView(APIView):
        permission_classes = (IsStaff,)

        @describe(
            summary,
            description=description,
            request=fields,
            answers={200: MerchantSerializer},
            problems=(404, 409),
            key="optional",
            staff=True,
        )
        def post(self, request: Request) -> HttpResponse:
            return answer_once(request, fields, shown(service))

    return StaffDecisionView


ApproveView = staff_decision(
    "Approve a merchant",
    "Creates the merchant's wallet account and credit.",
    CreditLimitSerializer,
    services.merchant_approve,
)
RefuseView = staff_decision(
    "Refuse a merchant", "Turns a pending merchant away.", MerchantDecisionSerializer, services.merchant_refuse
)
SuspendView = staff_decision(
    "Suspend a merchant",
    "Stops the merchant's withdrawals at once.",
    MerchantDecisionSerializer,
    services.merchant_suspend,
)
ReinstateView = staff_decision(
    "Reinstate a merchant",
    "Lets a suspended merchant withdraw again.",
    MerchantReferenceSerializer,
    services.merchant_reinstate,
)
CreditLimitView = staff_decision(
    "Change a credit limit",
    "Sets the limit; one below what is used only stops new withdrawals.",
    CreditLimitSerializer,
    services.credit_limit_change,
)
