"""/internal/v1: what the onboarding operator tells core. On a listener of its own, never routed outside."""

from typing import Any

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.serializers import validated
from etebar_common.problems import CredentialsStale, MerchantClosed, TopUpConflict, UsernameTaken, VersionStale
from payments.onboarding.authentication import OperatorAuthentication
from payments.onboarding.desired import Deletion, DesiredMerchant, DriftPolicy
from payments.onboarding.representation import amount_members, outcome_members, top_up_members
from payments.onboarding.selectors import pool_amounts
from payments.onboarding.serializers import (
    KeptMerchantSerializer,
    KeptTopUpSerializer,
    MerchantPutSerializer,
    PoolAmountsSerializer,
    TopUpPutSerializer,
)
from payments.onboarding.services import merchant_put
from payments.onboarding.top_ups import top_up_put


class OperatorView(APIView):
    """Only the operator is answered; its requests are not rate-limited, for nobody else can reach this listener."""

    authentication_classes = (OperatorAuthentication,)
    permission_classes = (IsAuthenticated,)
    throttle_classes = ()


class MerchantView(OperatorView):
    @describe(
        "Keep a merchant",
        request=MerchantPutSerializer,
        answers={200: KeptMerchantSerializer},
        problems=(404,),
        conflicts=(CredentialsStale, MerchantClosed, UsernameTaken, VersionStale),
        tag="operator",
    )
    def put(self, request: Request, namespace: str, name: str) -> Response:
        """Brings the merchant of an object to what it wishes; the same request again changes nothing."""
        fields: dict[str, Any] = validated(MerchantPutSerializer, request.data)
        deletion = fields.pop("deletion")
        desired = DesiredMerchant(
            **{**fields, "drift_policy": DriftPolicy(fields["drift_policy"])},
            namespace=namespace,
            name=name,
            deletion=Deletion(deletion) if deletion else None,
        )
        return Response(outcome_members(merchant_put(desired), desired.username))


class TopUpView(OperatorView):
    @describe(
        "Keep a top-up",
        request=TopUpPutSerializer,
        answers={200: KeptTopUpSerializer},
        problems=(404,),
        conflicts=(TopUpConflict,),
        tag="operator",
    )
    def put(self, request: Request, namespace: str, reference: str) -> Response:
        """Tops the pool up, once per namespace and reference."""
        fields = validated(TopUpPutSerializer, request.data)
        top_up, first = top_up_put(namespace=namespace, reference=reference, **fields)
        return Response(top_up_members(top_up, first=first))


class PoolView(OperatorView):
    @describe("Get the pool's amounts", answers={200: PoolAmountsSerializer}, tag="operator")
    def get(self, request: Request) -> Response:
        """What is in the pool, and where the rest of it went."""
        return Response(amount_members(pool_amounts()))
