"""The admin's site: Django's, with the log-in of the API behind its form and the second factor before its pages."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.db import transaction
from django.forms import CharField, TextInput
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy

from core.environment import ENVIRONMENT, StaffTotp
from core.problem_handler import problem_page
from etebar_common.problems import CredentialsInvalid, LogInsBusy, OtpInvalid, OtpNeeded, RateLimited
from payments import formats

TOTP_SESSION_KEY = "etebar_totp"
_ABOUT_CODES = {
    OtpNeeded: gettext_lazy("An account without a second factor is enrolled by `manage.py staff totp NAME`."),
    OtpInvalid: gettext_lazy("Each code is good once, for about a minute: enter the next one."),
}


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
            self.add_error("otp", f"{gettext(problem.title)}. {_ABOUT_CODES[type(problem)]}")
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
        """Django's page; a page with 429 or 503 when there were too many attempts."""
        try:
            return super().login(request, extra_context)
        except (RateLimited, LogInsBusy) as problem:
            seconds = formats.number(int(problem.headers["Retry-After"]))
            wait = gettext("Try again in %(seconds)s seconds.") % {"seconds": seconds}
            return problem_page(request, problem, wait)

    @transaction.atomic
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
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
