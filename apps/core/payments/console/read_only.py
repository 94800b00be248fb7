"""Pages that show rows and change none, whoever looks; and their rows as a file."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import OperationalError
from django.db.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    Q,
    QuerySet,
)
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _
from psycopg2.errors import QueryCanceled

from payments import formats
from payments.console.export import MOST_ROWS, csv_response, is_too_long

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:  # generic for the type checker only
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator

# the first that the field is one of
_FORMATS: "tuple[tuple[type[Field[Any, Any]], Callable[[Any], str]], ...]" = (
    (DateTimeField, formats.moment),
    (DateField, formats.day),
    (DecimalField, formats.money),
    (IntegerField, formats.identifier),
)
Column = str | Callable[[Any], Any]
# pages of 50 to turn over; a file has more
MOST_LISTED = 10_000


class BoundedPaginator(_Paginator):
    """Pages of the first MOST_LISTED rows: there may be a hundred million, and nobody waits for them to be counted."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_LISTED].count())


class ChoiceFilter(admin.ChoicesFieldListFilter):
    """Django's, in the reader's language: the labels of choices are made of their names."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.title = gettext(str(self.title))

    def choices(self, changelist: Any) -> Any:
        for each in super().choices(changelist):
            yield {**each, "display": gettext(str(each["display"]))}


admin.FieldListFilter.register(lambda field: bool(field.choices), ChoiceFilter, take_priority=True)


class ReadOnlyAdmin(_ModelAdmin):
    """Lists and shows rows to who may view them; amounts and times as the reader's language has them.

    `export_fields` are the columns of the CSV file; none: there is no file. `search_fields` with a `=` are looked up by
    their indexes.
    """

    actions = None
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    # each choice of a filter counted would be each row read
    show_facets = admin.ShowFacets.NEVER
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
        try:
            return super().changelist_view(request, context)
        except OperationalError as error:
            if not chosen:
                raise
            return self._to_the_whole_list(request, error)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Django's, with its rows read: not only when the page is half made. `is_cut` tells that there are more."""
        changelist: Any = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        changelist.is_cut = changelist.result_count >= MOST_LISTED
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Django's, but for fields with a `=`, which it would compare as upper-case text, each row's."""
        names, term = self.get_search_fields(request), search_term.strip()
        if not (term and any(name.startswith("=") for name in names)):
            return super().get_search_results(request, queryset, search_term)
        found = Q(pk__in=())
        for name in names:
            if name.startswith("="):
                found |= self._exactly(name.removeprefix("="), term)
            else:
                found |= Q((f"{name}__icontains", term))
        return queryset.filter(found), False

    def _exactly(self, name: str, term: str) -> Q:
        """Nothing matches when the term is no value of the field."""
        field = get_fields_from_path(self.model, name)[-1]
        try:
            return Q((name, field.to_python(formats.latin_digits(term) if isinstance(field, IntegerField) else term)))
        except ValidationError:
            return Q(pk__in=())

    def export(self, request: HttpRequest) -> Any:
        """The rows that the list shows under the same filters and search, on all its pages; raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
            is_short = not is_too_long(rows)
        except OperationalError as error:
            return self._to_the_whole_list(request, error)
        if is_short:
            return csv_response(rows, self.export_fields, name=str(self.opts.model_name))
        told = _("There are more than %(most)s rows: filter or search first.") % {"most": formats.number(MOST_ROWS)}
        messages.error(request, told)
        return HttpResponseRedirect(f"{self._list_url()}?{request.GET.urlencode()}")

    def _to_the_whole_list(self, request: HttpRequest, error: OperationalError) -> HttpResponseRedirect:
        """With the reason, when the database ended what took too long; raises every other error again."""
        if not isinstance(error.__cause__, QueryCanceled):
            raise error
        messages.error(request, _("Looking for that took too long: search or filter for less."))
        return HttpResponseRedirect(self._list_url())

    def _list_url(self) -> str:
        return self._page_of("changelist")

    def _export_url(self) -> str:
        return self._page_of("export")

    def _page_of(self, page: str) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}")

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


def _shown(field: "Field[Any, Any]", value: Any) -> Any:
    """As the reader's language has it; what no format knows, and nothing, as they are."""
    written = next((each for kind, each in _FORMATS if isinstance(field, kind)), None)
    return value if value is None or written is None else written(value)


def _column_of(field: "Field[Any, Any]") -> Column:
    """The field's value in the reader's language, under its name in it."""

    def value(row: Model) -> Any:
        if field.choices:
            label: Any = getattr(row, f"get_{field.name}_display")()
            return gettext(str(label))
        return _shown(field, getattr(row, field.name))

    return _named(field.name, field.verbose_name, field.name, value, boolean=isinstance(field, BooleanField))


def _key_of(field: Any) -> Column:
    def value(row: Model) -> Any:
        return _shown(field.target_field, getattr(row, field.attname))

    return _named(field.attname, f"{field.verbose_name} id", field.name, value)


def _named(
    name: str, label: Any, ordering: str, value: Callable[[Model], Any], *, boolean: bool | None = None
) -> Column:
    def column(row: Model) -> Any:
        return value(row)

    # the name is the column's class in the page
    column.__name__ = name
    display = admin.display(description=gettext_lazy(str(label)), ordering=ordering, boolean=boolean or None)
    return display(column)
