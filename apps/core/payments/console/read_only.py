"""Pages that show rows and change none, whoever looks; and their rows as a file."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, DateTimeField, DecimalField, Field, ForeignKey, Model
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from payments import formats
from payments.console.export import MOST_ROWS, csv_response, is_too_long

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:  # generic for the type checker only
    _ModelAdmin = admin.ModelAdmin

_FORMATS: "dict[type[Field[Any, Any]], Callable[[Any], str]]" = {
    DateTimeField: formats.moment,
    DecimalField: formats.money,
}
Column = str | Callable[[Any], Any]


class ReadOnlyAdmin(_ModelAdmin):
    """Lists and shows rows to who may view them; amounts and times as the reader's language has them.

    `export_fields` are the columns of the CSV file; none: there is no file.
    """

    actions = None
    list_per_page = 50
    export_fields: Sequence[str] = ()
    change_list_template = "console/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the signature of ModelAdmin
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._localized(super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self._localized(super().get_fields(request, obj))

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        ours = [path("export.csv", self.admin_site.admin_view(self.export), name=name)] if self.export_fields else []
        return [*ours, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        chosen = request.GET.urlencode()
        url = f"{self._export_url()}?{chosen}" if self.export_fields else ""
        context = {**(extra_context or {}), "export_url": url}
        return super().changelist_view(request, context)

    def export(self, request: HttpRequest) -> Any:
        """The rows that the list shows under the same filters and search, on all its pages; raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_changelist_instance(request).get_queryset(request)
        if is_too_long(rows):
            told = _("There are more than %(most)s rows: filter or search first.") % {"most": formats.number(MOST_ROWS)}
            messages.error(request, told)
            name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist"
            return HttpResponseRedirect(f"{reverse(name)}?{request.GET.urlencode()}")
        return csv_response(rows, self.export_fields, name=str(self.opts.model_name))

    def _export_url(self) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_export")

    def _localized(self, names: Sequence[Any]) -> list[Any]:
        return [self._column(name) if isinstance(name, str) else name for name in names]

    def _column(self, name: str) -> Column:
        for field in self.opts.concrete_fields:
            if name == field.name:
                return self._related(field) if isinstance(field, ForeignKey) else _column_of(field)
            if name == field.attname:
                return _key_of(field)
        return name

    def _related(self, field: "ForeignKey[Any, Any]") -> Column:
        """The row that another one names, with a link to its page where there is one."""
        model: Any = field.related_model
        options = model._meta  # noqa: SLF001 - Django's name for what everybody may use
        is_here = self.admin_site.is_registered(model)
        address = f"{self.admin_site.name}:{options.app_label}_{options.model_name}_change"

        def shown(row: Model) -> Any:
            other = getattr(row, field.name)
            if other is None:
                return None
            return format_html('<a href="{}">{}</a>', reverse(address, args=[other.pk]), other) if is_here else other

        return _named(field.name, field.verbose_name, field.name, shown)


def _as_it_is(value: Any) -> Any:
    return value


def _column_of(field: "Field[Any, Any]") -> Column:
    """The field's value in the reader's language, under its name in it."""
    shown: Callable[[Any], Any] = _FORMATS.get(type(field), _as_it_is)

    def value(row: Model) -> Any:
        if field.choices:
            label: Any = getattr(row, f"get_{field.name}_display")()
            return gettext(str(label))
        return shown(getattr(row, field.name))

    return _named(field.name, field.verbose_name, field.name, value, boolean=isinstance(field, BooleanField))


def _key_of(field: "Field[Any, Any]") -> Column:
    return _named(field.attname, f"{field.verbose_name} id", field.name, lambda row: getattr(row, field.attname))


def _named(
    name: str, label: Any, ordering: str, value: Callable[[Model], Any], *, boolean: bool | None = None
) -> Column:
    def column(row: Model) -> Any:
        return value(row)

    # the name is the column's class in the page
    column.__name__ = name
    display = admin.display(description=gettext_lazy(str(label)), ordering=ordering, boolean=boolean or None)
    return display(column)
