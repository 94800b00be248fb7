"""The admin's log-in page, under the limits of the token endpoint: it takes the same passwords."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from core.client_address import client_address
from core.rate_limits import TokenAccountRateLimit, TokenRateLimit
from etebar_common.problems import RateLimited


def login(request: HttpRequest) -> HttpResponse:
    """Django's page; 429 as text when the address or the account has tried too often."""
    try:
        if request.method == "POST":
            TokenRateLimit.count(client_address(request))
            TokenAccountRateLimit.count(TokenAccountRateLimit.account(request.POST.get("username")))
    except RateLimited as problem:
        text = f"{problem.title}: {problem.detail}. Wait {problem.headers['Retry-After']} s.\n"
        return HttpResponse(text, content_type="text/plain", status=problem.status, headers=problem.headers)
    return admin.site.login(request)
