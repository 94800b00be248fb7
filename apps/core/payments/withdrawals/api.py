"""/api/v1/withdrawals: a merchant's withdrawals, and staff's view of all."""

from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.serializers import validated
from etebar_common.problems import NotFound
from payments.models import Withdrawal
from payments.tokens.authentication import merchant_id_of
from payments.tokens.permissions import IsMerchant, IsStaff
from payments.withdrawals.representation import members_of
from payments.withdrawals.requests import command_of
from payments.withdrawals.selectors import withdrawals_filtered
from payments.withdrawals.serializers import (
    StaffWithdrawalQuerySerializer,
    WithdrawalCreateSerializer,
    WithdrawalPageSerializer,
    WithdrawalQuerySerializer,
    WithdrawalSerializer,
)
from payments.withdrawals.services import withdrawal_create


class WithdrawalsView(APIView):
    permission_classes = (IsMerchant,)

    @describe(
        "Withdraw",
        request=WithdrawalCreateSerializer,
        answers={201: WithdrawalSerializer, 202: WithdrawalSerializer},
        problems=(409, 422),
        key="required",
        prefer=True,
    )
    def post(self, request: Request) -> HttpResponse:
        """Reserves the amount and pays it to the merchant's bank account.

        201: paid. 202: the outcome is not known yet; follow Location. 409: nothing moved.
        """
        fields = validated(WithdrawalCreateSerializer, request.data)
        command = command_of(request._request, fields["amount"])  # noqa: SLF001 - DRF gives no other way to it
        return withdrawal_create(command).response()

    @describe("List withdrawals", query=WithdrawalQuerySerializer, answers={200: WithdrawalPageSerializer})
    def get(self, request: Request) -> Response:
        """The merchant's withdrawals, newest first."""
        query = validated(WithdrawalQuerySerializer, request.query_params)
        filters = {name: query[name] for name in ("state", "created_from", "created_to") if name in query}
        withdrawals = withdrawals_filtered(merchant_id=merchant_id_of(request), **filters)
        return Response(paginate(request, withdrawals, members_of, query=query))


class WithdrawalView(APIView):
    permission_classes = (IsMerchant,)

    @describe("Get a withdrawal", answers={200: WithdrawalSerializer}, problems=(404,))
    def get(self, request: Request, withdrawal_id: UUID) -> Response:
        """One of the merchant's withdrawals."""
        withdrawal = Withdrawal.objects.filter(pk=withdrawal_id, merchant_id=merchant_id_of(request)).first()
        if withdrawal is None:
            raise NotFound(f"you have no withdrawal {withdrawal_id}")
        return Response(members_of(withdrawal))


class StaffWithdrawalsView(APIView):
    permission_classes = (IsStaff,)

    @describe(
        "List all withdrawals",
        query=StaffWithdrawalQuerySerializer,
        answers={200: WithdrawalPageSerializer},
        staff=True,
    )
    def get(self, request: Request) -> Response:
        """Every merchant's withdrawals, newest first; `overdue=true`: those whose outcome is unknown for too long."""
        query = validated(StaffWithdrawalQuerySerializer, request.query_params)
        names = ("state", "created_from", "created_to", "merchant_id", "overdue")
        filters = {name: query[name] for name in names if name in query}
        return Response(paginate(request, withdrawals_filtered(**filters), members_of, query=query))
