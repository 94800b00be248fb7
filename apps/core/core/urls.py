"""Core's addresses."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from core.environment import ENVIRONMENT
from core.health import healthz, readyz


def addresses(*, admin_enabled: bool) -> list[URLPattern | URLResolver]:
    """The public listener's, with the admin's pages or without."""
    always: list[URLPattern | URLResolver] = [
        path("healthz", healthz),
        path("readyz", readyz),
        path("api/v1/", include("payments.urls")),
        path("api/openapi.json", SpectacularJSONAPIView.as_view(), name="openapi"),
        path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="openapi")),
    ]
    of_staff: list[URLPattern | URLResolver] = [
        path("admin/language", set_language, name="set_language"),
        path("admin/", admin.site.urls),
    ]
    return [*always, *of_staff] if admin_enabled else always


urlpatterns = addresses(admin_enabled=ENVIRONMENT.admin_enabled)

handler400 = "core.problem_handler.bad_request"
handler403 = "core.problem_handler.permission_denied"
handler404 = "core.problem_handler.not_found"
handler500 = "core.problem_handler.server_error"
