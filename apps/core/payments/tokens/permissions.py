"""Who may do what."""

from django.contrib.auth.models import User
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from core.request_context import context_of
from payments.tokens.authentication import caller_of


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


def staff_who_may(permission: str) -> type[IsStaff]:
    """Staff, and for what changes something those of them whose groups have the permission `payments.<permission>`."""

    class StaffWhoMay(IsStaff):
        def has_permission(self, request: Request, view: APIView) -> bool:
            if not super().has_permission(request, view):
                return False
            if request.method in SAFE_METHODS:
                return True
            user = User.objects.filter(pk=caller_of(request).pk).first()
            return user is not None and user.has_perm(f"payments.{permission}")

    return StaffWhoMay


MayDecideMerchants = staff_who_may("decide_merchant")
MayFundPool = staff_who_may("fund_creditpool")
MayAsk = staff_who_may("ask_approvalrequest")
MayDecide = staff_who_may("decide_approvalrequest")
MayImportStatements = staff_who_may("import_bankstatement")
MayRecordRepayments = staff_who_may("record_repayment")
