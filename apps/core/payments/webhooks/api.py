"""/api/v1/webhooks: a merchant's endpoints, and what was delivered to them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.openapi import describe
from core.pagination import paginate
from core.serializers import NothingSerializer, validated
from etebar_common.problems import NotFound, WebhookDisabled, WebhookExists, WebhookLimit
from payments.idempotency.act import answer_once
from payments.models import WebhookDelivery
from payments.tokens.authentication import merchant_id_of
from payments.tokens.caller import WEBHOOKS_MANAGE
from payments.tokens.permissions import IsMerchant
from payments.webhooks import endpoints
from payments.webhooks.representation import attempt_members, delivery_members, endpoint_members
from payments.webhooks.serializers import (
    DeliveryLogSerializer,
    DeliveryPageSerializer,
    DeliveryQuerySerializer,
    DeliverySerializer,
    EndpointChangeSerializer,
    EndpointCreateSerializer,
    EndpointSerializer,
    EndpointsSerializer,
    ReplayedSerializer,
    SecretSerializer,
)


class MerchantView(APIView):
    permission_classes = (IsMerchant,)
    api_key_scope = WEBHOOKS_MANAGE


class WebhooksView(MerchantView):
    @describe(
        "Create a webhook",
        request=EndpointCreateSerializer,
        answers={201: EndpointSerializer},
        conflicts=(WebhookExists, WebhookLimit),
        key="optional",
    )
    def post(self, request: Request) -> HttpResponse:
        """Events of withdrawals are sent there from now on, signed by the Standard Webhooks specification."""
        merchant_id = merchant_id_of(request)

        def act(**fields: Any) -> dict[str, Any]:
            made = endpoints.endpoint_create(merchant_id=merchant_id, **fields)
            return endpoint_members(endpoints.endpoint_get(merchant_id, made.pk))

        return answer_once(request, EndpointCreateSerializer, act, status=201)

    @describe("List webhooks", answers={200: EndpointsSerializer})
    def get(self, request: Request) -> Response:
        """The merchant's webhooks, the first one first."""
        found = endpoints.endpoints_of(merchant_id_of(request)).order_by("created_at", "pk")
        return Response({"results": [endpoint_members(each) for each in found]})


class WebhookView(MerchantView):
    @describe("Get a webhook", answers={200: EndpointSerializer}, problems=(404,))
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """One webhook, and whether it fails."""
        return Response(endpoint_members(endpoints.endpoint_get(merchant_id_of(request), endpoint_id)))

    @describe(
        "Change a webhook",
        request=EndpointChangeSerializer,
        answers={200: EndpointSerializer},
        problems=(404,),
        conflicts=(WebhookExists,),
        key="optional",
    )
    def patch(self, request: Request, endpoint_id: UUID) -> HttpResponse:
        """Changes what is given. While it is not enabled no events are kept for it; what was pending waits."""
        merchant_id = merchant_id_of(request)

        def act(**fields: Any) -> dict[str, Any]:
            changed = endpoints.endpoint_change(merchant_id=merchant_id, endpoint_id=endpoint_id, **fields)
            return endpoint_members(changed)

        return answer_once(request, EndpointChangeSerializer, act)

    @describe("Delete a webhook", answers={200: NothingSerializer}, problems=(404,), key="optional")
    def delete(self, request: Request, endpoint_id: UUID) -> HttpResponse:
        """Nothing is sent there any more."""
        merchant_id = merchant_id_of(request)

        def act() -> dict[str, Any]:
            endpoints.endpoint_delete(merchant_id=merchant_id, endpoint_id=endpoint_id)
            return {}

        return answer_once(request, NothingSerializer, act)


class SecretView(MerchantView):
    @describe("Show a webhook's secret", answers={200: SecretSerializer}, problems=(404,))
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """What signatures are verified with; two while one takes the other's place."""
        found = endpoints.endpoint_get(merchant_id_of(request), endpoint_id)
        return Response({"secrets": endpoints.secrets_of(found)}, headers={"Cache-Control": "no-store"})


class RotateView(MerchantView):
    @describe(
        "Rotate a webhook's secret",
        request=NothingSerializer,
        answers={200: EndpointSerializer},
        problems=(404,),
        key="optional",
    )
    def post(self, request: Request, endpoint_id: UUID) -> HttpResponse:
        """A new secret; both sign until `previous_secret_until`.

        Rotated again before that, the older one signs on until then, beside the newest; the one between does not.
        """
        merchant_id = merchant_id_of(request)

        def act() -> dict[str, Any]:
            return endpoint_members(endpoints.secret_rotate(merchant_id=merchant_id, endpoint_id=endpoint_id))

        return answer_once(request, NothingSerializer, act)


class TestView(MerchantView):
    @describe(
        "Test a webhook",
        request=NothingSerializer,
        answers={202: DeliverySerializer},
        problems=(404,),
        conflicts=(WebhookDisabled,),
        key="optional",
    )
    def post(self, request: Request, endpoint_id: UUID) -> HttpResponse:
        """Sends an event `webhook.test` there, whatever its event types are."""
        merchant_id = merchant_id_of(request)

        def act() -> dict[str, Any]:
            return delivery_members(endpoints.send_test(merchant_id=merchant_id, endpoint_id=endpoint_id))

        return answer_once(request, NothingSerializer, act, status=202)


class DeliveriesView(MerchantView):
    @describe(
        "List deliveries",
        query=DeliveryQuerySerializer,
        answers={200: DeliveryPageSerializer},
        problems=(404,),
    )
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """What was or is to be sent, newest first; `state=dead` is what was given up."""
        query = validated(DeliveryQuerySerializer, request.query_params)
        found = WebhookDelivery.objects.filter(endpoint=endpoints.endpoint_get(merchant_id_of(request), endpoint_id))
        if "state" in query:
            found = found.filter(state=query["state"])
        return Response(paginate(request, found, delivery_members, query=query))


class DeliveryView(MerchantView):
    @describe("Get a delivery", answers={200: DeliveryLogSerializer}, problems=(404,))
    def get(self, request: Request, endpoint_id: UUID, delivery_id: int) -> Response:
        """One delivery, and each attempt at it."""
        endpoint = endpoints.endpoint_get(merchant_id_of(request), endpoint_id)
        found = WebhookDelivery.objects.filter(endpoint=endpoint, pk=delivery_id).first()
        if found is None:
            raise NotFound(f"there is no delivery {delivery_id} of the webhook {endpoint_id}")
        log = [attempt_members(each) for each in found.log.order_by("pk")]
        return Response({**delivery_members(found), "log": log})


class ReplayView(MerchantView):
    @describe(
        "Replay deliveries",
        request=NothingSerializer,
        answers={200: ReplayedSerializer},
        problems=(404,),
        conflicts=(WebhookDisabled,),
        key="optional",
    )
    def post(self, request: Request, endpoint_id: UUID, delivery_id: int | None = None) -> HttpResponse:
        """Sends one again, or those that are dead: the same event with the same id."""
        merchant_id = merchant_id_of(request)

        def act() -> dict[str, Any]:
            count = endpoints.deliveries_replay(
                merchant_id=merchant_id, endpoint_id=endpoint_id, delivery_id=delivery_id
            )
            return {"replayed": count}

        return answer_once(request, NothingSerializer, act)
