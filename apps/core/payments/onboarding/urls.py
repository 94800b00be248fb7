"""Everything under /internal/v1/."""

from django.urls import path, re_path

from payments.onboarding.api import MerchantView, PoolView, TopUpView

NAMESPACE = r"(?P<namespace>[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)"
NAME = r"(?P<name>[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?)"
REFERENCE = r"(?P<reference>[A-Za-z0-9][A-Za-z0-9._-]{0,127})"

urlpatterns = [
    re_path(rf"^merchants/{NAMESPACE}/{NAME}\Z", MerchantView.as_view()),
    re_path(rf"^pool-top-ups/{NAMESPACE}/{REFERENCE}\Z", TopUpView.as_view()),
    path("pool", PoolView.as_view()),
]
