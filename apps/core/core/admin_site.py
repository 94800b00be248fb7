"""The admin's site: Django's, with the log-in of the API behind its form and the second factor before its pages."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.db import transaction
from django.forms import CharField, TextInput
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from core.environment import ENVIRONMENT, StaffTotp
from etebar_common.problems import CredentialsInvalid, LogInsBusy, OtpInvalid, OtpNeeded, RateLimited

TOTP_SESSION_KEY = "etebar_totp"


class LogInForm(AdminAuthenticationForm):
    """Username, password and code, looked at by `payments.tokens.log_in`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if ENVIRONMENT.staff_totp is not StaffTotp.OFF:
            attributes = {"autocomplete": "one-time-code", "inputmode": "numeric"}
            self.fields["otp"] = CharField(
                label=gettext_lazy("Code"), required=False, max_length=16, widget=TextInput(attributes)
            )

    def clean(self) -> dict[str, Any]:
        # models are not there yet when the site is made
        from payments.tokens.log_in import ADMIN, Credentials, log_in

        fields = self.cleaned_data
        if self.request is None or not {"username", "password"} <= fields.keys():
            return fields
        shown = Credentials(fields["username"], fields["password"], ADMIN, fields.get("otp", ""))
        try:
            entered = log_in(self.request, shown)
        except CredentialsInvalid:
            raise self.get_invalid_login_error() from None
        except (OtpNeeded, OtpInvalid) as problem:
            self.add_error("otp", f"{problem.title}. {problem.remedy}")
            return fields
        self.confirm_login_allowed(entered.user)
        # what Django's own authenticate() says on the account that it returns
        entered.user.backend = "django.contrib.auth.backends.ModelBackend"
        self.user_cache = entered.user
        self.request.session[TOTP_SESSION_KEY] = entered.by_totp
        return fields


class Site(AdminSite):
    site_title = site_header = gettext_lazy("Etebar")
    index_title = gettext_lazy("Staff console")
    # there is no page for guests
    site_url = None
    index_template = "console/index.html"
    login_form = LogInForm
    # the template shows no field of ours by itself
    login_template = "etebar/admin_login.html"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's page; 429 or 503 as text when there were too many attempts."""
        try:
            return super().login(request, extra_context)
        except (RateLimited, LogInsBusy) as problem:
            text = f"{problem.title}: {problem.detail}. Wait {problem.headers['Retry-After']} s.\n"
            return HttpResponse(text, content_type="text/plain", status=problem.status, headers=problem.headers)

    @transaction.atomic
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's page; the new password and the end of the tokens of before are one."""
        return super().password_change(request, extra_context)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's page, before it what waits for somebody, and beside it how it goes."""
        from payments.console.home import charts, waiting

        shown = {"queue": list(waiting(request.user)), "charts": list(charts(request.user))}
        return super().index(request, {**(extra_context or {}), **shown})

    def has_permission(self, request: HttpRequest) -> bool:
        """A session of before the second factor was asked for is none any more."""
        from payments.staff.second_factor import is_demanded_of

        if not super().has_permission(request):
            return False
        return bool(request.session.get(TOTP_SESSION_KEY)) or not is_demanded_of(request.user)
