"""Probes: /healthz says that the process answers, /readyz that callers may be sent here.

A lost database is not asked for: every process would lose it at once, and somebody has to answer 503.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from core.environment import ENVIRONMENT
from core.problem_handler import problem_response
from etebar_common.problems import NotReady


@csrf_exempt
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view's signature
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Ready since it started, for it does not start on a database that is not migrated; until it is to end."""
    if ENVIRONMENT.is_draining:
        return problem_response(NotReady("this process is about to end"))
    return JsonResponse({"status": "ready"})
