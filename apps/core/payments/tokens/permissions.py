"""Who may do what."""

from django.contrib.auth.models import User
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from core.request_context import context_of


class IsMerchant(BasePermission):
    """The token is a merchant's."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        user = context_of(request).user
        return user is not None and user.merchant_id is not None


class IsStaff(BasePermission):
    """The account is active staff now, whatever it was when the token was made."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        return bool(
            request.user.is_authenticated
            and User.objects.filter(pk=request.user.pk, is_active=True, is_staff=True).exists()
        )
