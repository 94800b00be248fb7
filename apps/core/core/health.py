"""Probes: /healthz says that the process answers, /readyz that it can do its work."""

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from core.problem_handler import problem_response
from core.startup import migrations_missing
from etebar_common.problems import DatabaseUnavailable


@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's signature
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    try:
        _ask_database()
    except (OperationalError, InterfaceError) as error:
        return problem_response(DatabaseUnavailable(str(error).strip().splitlines()[0]))
    missing = migrations_missing()
    if missing:
        return problem_response(DatabaseUnavailable(f"{len(missing)} migrations are not applied"))
    return JsonResponse({"status": "ready"})


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
