"""Core's addresses."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from core import admin_login
from core.health import healthz, readyz

urlpatterns = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/v1/", include("payments.urls")),
    path("api/openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="openapi")),
    path("admin/login/", admin_login.login),
    path("admin/", admin.site.urls),
]

handler400 = "core.problem_handler.bad_request"
handler403 = "core.problem_handler.permission_denied"
handler404 = "core.problem_handler.not_found"
handler500 = "core.problem_handler.server_error"
