"""The addresses of the internal listener."""

from django.urls import include, path

from core.health import healthz, readyz
from core.urls import handler400, handler403, handler404, handler500

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("internal/v1/", include("payments.onboarding.urls")),
]

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
