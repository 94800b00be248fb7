"""The admin's log-in page: Django's, with the log-in of the API behind it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest, HttpResponse

from etebar_common.problems import CredentialsInvalid, LogInsBusy, RateLimited


class LogInForm(AdminAuthenticationForm):
    """Username and password, looked at by `payments.tokens.log_in`."""

    def clean(self) -> dict[str, Any]:
        # models are not there yet when the addresses are read
        from payments.tokens.log_in import ADMIN, Credentials, log_in

        fields = self.cleaned_data
        if self.request is None or not {"username", "password"} <= fields.keys():
            return fields
        try:
            user = log_in(self.request, Credentials(fields["username"], fields["password"], ADMIN))
        except CredentialsInvalid:
            raise self.get_invalid_login_error() from None
        self.confirm_login_allowed(user)
        # what Django's own authenticate() says on the account that it returns
        user.backend = "django.contrib.auth.backends.ModelBackend"
        self.user_cache = user
        return fields


def login(request: HttpRequest) -> HttpResponse:
    """Django's page; 429 or 503 as text when there were too many attempts."""
    try:
        return admin.site.login(request)
    except (RateLimited, LogInsBusy) as problem:
        text = f"{problem.title}: {problem.detail}. Wait {problem.headers['Retry-After']} s.\n"
        return HttpResponse(text, content_type="text/plain", status=problem.status, headers=problem.headers)


admin.site.login_form = LogInForm
