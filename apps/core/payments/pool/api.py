"""/api/v1/admin/pool: the shared credit pool."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from etebar_common.money import CENT
from payments.audit.services import staff_actor
from payments.idempotency.act import answer_once
from payments.models import POOL_ID, CreditPool
from payments.pool.serializers import PoolSerializer, TopUpAnswerSerializer, TopUpSerializer
from payments.pool.services import pool_top_up
from payments.tokens.permissions import IsStaff, MayFundPool


def pool_members(pool: CreditPool) -> dict[str, Any]:
    return {
        "available_amount": str(Decimal(pool.available_amount).quantize(CENT)),
        "funded_amount": str(Decimal(pool.funded_amount).quantize(CENT)),
        "adjusted_amount": str(Decimal(pool.adjusted_amount).quantize(CENT)),
    }


class PoolView(APIView):
    permission_classes = (IsStaff,)

    @describe("Get the pool", answers={200: PoolSerializer}, staff=True)
    def get(self, request: Request) -> Response:
        """What is available in the pool."""
        pool = CreditPool.objects.filter(pk=POOL_ID).first() or CreditPool(pk=POOL_ID)
        return Response(pool_members(pool))


class TopUpView(APIView):
    permission_classes = (MayFundPool,)

    @describe(
        "Top the pool up", request=TopUpSerializer, answers={200: TopUpAnswerSerializer}, key="optional", staff=True
    )
    def post(self, request: Request) -> HttpResponse:
        """Adds money to the pool."""

        def act(*, amount: Decimal) -> dict[str, Any]:
            top_up, pool = pool_top_up(amount=amount, by=staff_actor(request))
            return {"top_up_id": str(top_up.pk), "amount": str(top_up.amount), **pool_members(pool)}

        return answer_once(request, TopUpSerializer, act)
