"""Pages that show rows and change none, whoever looks; and their rows as a file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from psycopg2.errors import QueryCanceled

from payments import formats
from payments.console.columns import column_of
from payments.console.export import MOST_ROWS, csv_response, is_too_long
from payments.console.lists import BoundedPaginator
from payments.console.searches import any_of

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
else:  # generic for the type checker only
    _ModelAdmin = admin.ModelAdmin


LOOKUPS = frozenset({"", "exact", "id__exact", "isempty", "isnull"})


class ReadOnlyAdmin(_ModelAdmin):
    """Lists and shows rows to who may view them; amounts and times as the reader's language has them.

    `export_fields` are the columns of the CSV file, else those of the list. `search_fields` with a `=` are looked up by
    their indexes. `linked_by` are fields by which links of other pages filter, beside those of `list_filter`.
    """

    actions = None
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    # each choice of a filter counted would be each row read
    show_facets = admin.ShowFacets.NEVER
    export_fields: Sequence[str] = ()
    linked_by: Sequence[str] = ()
    change_list_template = "console/change_list.html"

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the signature of ModelAdmin
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:  # noqa: ARG002
        """What an address may filter by: Django lets it ask any column anything, letter by letter, secrets too."""
        name, _, asked = lookup.partition("__")
        filters = {each[0] if isinstance(each, tuple) else each for each in self.list_filter}
        return name in {*filters, *self.linked_by} and asked in LOOKUPS

    def get_list_display(self, request: HttpRequest) -> Any:
        return self._columns(super().get_list_display(request), request)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self._columns(super().get_fields(request, obj), request)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export.csv", self.admin_site.admin_view(self.export), name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        chosen = request.GET.urlencode()
        context = {**(extra_context or {}), "export_url": f"{self._page_of('export')}?{chosen}"}
        try:
            return super().changelist_view(request, context)
        except OperationalError as error:
            if not chosen:
                raise
            return self._to_the_whole_list(request, error)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Django's, with its rows read: not only when the page is half made."""
        changelist: Any = super().get_changelist_instance(request)
        changelist.result_list = list(changelist.result_list)
        return changelist

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - the signature of ModelAdmin
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        term = formats.without_marks(search_term).strip()
        return (queryset.filter(self.search(term)) if term and self.search_fields else queryset), False

    def search(self, term: str) -> Q:
        """The rows that a search for the term finds."""
        return any_of(self.model, self.search_fields, term)

    def export(self, request: HttpRequest) -> Any:
        """The rows that the list shows under the same filters and search, on all its pages; raises PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
            is_short = not is_too_long(rows)
        except OperationalError as error:
            return self._to_the_whole_list(request, error)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self._list_url())
        if is_short:
            return csv_response(rows, self._exported(), name=str(self.opts.model_name))
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

    def _exported(self) -> Sequence[str]:
        """Of a row that another one names, its key is exported: what it is called depends on who reads."""
        if self.export_fields:
            return self.export_fields
        keys = {field.name: field.attname for field in self.opts.concrete_fields}
        return [keys.get(name, name) for name in self.list_display]  # type: ignore[arg-type] # ours are names

    def _page_of(self, page: str) -> str:
        return reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_{page}")

    def _columns(self, names: Sequence[Any], request: HttpRequest) -> list[Any]:
        return [column_of(name, self, request) if isinstance(name, str) else name for name in names]
