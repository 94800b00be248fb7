"""What staff do on a page: a form with a key of its own, run once by the service that the API calls, too."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from etebar_common.problems import Problem
from payments.answers import Answer, json_text
from payments.audit.services import Actor
from payments.console.forms import ActForm
from payments.console.read_only import ReadOnlyAdmin
from payments.idempotency.identity import RequestIdentity, digest_fields
from payments.idempotency.services import run_once

FIRST_ERROR = 400
# what was asked for and decided, wherever a page tells of it
VIEWS_REQUESTS = "payments.view_approvalrequest"
Text = str | Promise


@dataclass(frozen=True)
class Act:
    """One thing to do about a row.

    `run` is given the row, the form's fields and who acts; it raises Problems, and returns the text that says what has
    happened. `is_offered` says whether a row, to this person, has its button: what must hold is for `run` to see.
    """

    name: str
    label: Text
    permission: str
    run: Callable[[Any, dict[str, Any], Actor], Text]
    form: type[ActForm] = ActForm
    is_offered: Callable[[Any, HttpRequest], bool] = field(default=lambda _row, _request: True)
    is_grave: bool = False

    def is_for(self, row: Model, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission) and self.is_offered(row, request)


class ActingAdmin(ReadOnlyAdmin):
    """Shows rows, and a button for each act that may be done about one."""

    acts: tuple[Act, ...] = ()
    change_form_template = "console/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        ours = [
            path(f"<path:object_id>/{act.name}/", self.admin_site.admin_view(self._view_of(act)), name=self._name(act))
            for act in self.acts
        ]
        return [*ours, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.get_object(request, unquote(object_id))
        context = {**(extra_context or {}), **self._shown(request, row)} if row is not None else extra_context
        return super().change_view(request, object_id, form_url, context)

    def audit_url(self, row: Any, request: HttpRequest) -> str:  # noqa: ARG002 - for rows that the audit names
        """Where the audit of the row is, for who may see it; "" for nowhere."""
        return ""

    def panels(self, row: Any, request: HttpRequest) -> dict[str, Any]:  # noqa: ARG002 - for those that show more
        """What the page shows beside the row's own fields."""
        return {}

    def _shown(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        if not self.has_view_permission(request, row):
            return {}
        offered = [(act, self._url(act, row)) for act in self.acts if act.is_for(row, request)]
        return {"acts": offered, "audit_url": self.audit_url(row, request), **self.panels(row, request)}

    def _view_of(self, act: Act) -> Callable[[HttpRequest, str], HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            row = self.get_object(request, unquote(object_id))
            if row is None:
                raise Http404
            if not self.has_view_permission(request, row) or not request.user.has_perm(act.permission):
                raise PermissionDenied
            form = act.form(request.POST or None, initial={"key": uuid4().hex})
            if request.method == "POST" and form.is_valid():
                done = self._done(act, row, form, request)
                if done is not None:
                    return done
            return self._page(act, row, form, request)

        return view

    def _done(self, act: Act, row: Any, form: ActForm, request: HttpRequest) -> HttpResponse | None:
        """Back to the row, with what has happened; None after a refusal, which the form then shows."""
        fields = dict(form.cleaned_data)
        key = fields.pop("key")
        by = Actor(request.user.id or 0, f"staff:{request.user.get_username()}")

        def run() -> Answer:
            return Answer(200, json_text({"text": str(act.run(row, fields, by))}))

        try:
            answer = run_once(_identity(request, key, fields), run)
        except Problem as problem:
            form.refused(_(problem.title), problem.detail)
            return None
        told = json.loads(answer.body)
        if answer.status >= FIRST_ERROR:
            form.refused(_(told["title"]), told.get("detail", ""))
            return None
        messages.success(request, told["text"])
        return HttpResponseRedirect(reverse(f"{self._prefix()}_change", args=[row.pk]))

    def _page(self, act: Act, row: Any, form: ActForm, request: HttpRequest) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": act.label,
            "act": act,
            "form": form,
            **self.panels(row, request),
        }
        status = 409 if form.is_refused else 200
        return TemplateResponse(request, "console/act.html", context, status=status)

    def _prefix(self) -> str:
        return f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}"

    def _name(self, act: Act) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{act.name}"

    def _url(self, act: Act, row: Model) -> str:
        return reverse(f"{self._prefix()}_{act.name}", args=[row.pk])


def _identity(request: HttpRequest, key: str, fields: dict[str, Any]) -> RequestIdentity:
    """The form's own key: pressed twice, sent twice or gone back to, a form is one act."""
    method, path_ = str(request.method), request.path
    digests = digest_fields({"method": method, "path": path_, **fields})
    return RequestIdentity(f"console:{request.user.pk}", key, method, path_, digests)
