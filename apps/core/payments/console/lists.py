"""Lists of many rows: pages that are bounded, and filters in the reader's language."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.utils.functional import cached_property
from django.utils.translation import gettext

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:  # generic for the type checker only
    _Paginator = Paginator

# pages of 50 to turn over; a file has more
MOST_LISTED = 10_000


class BoundedPaginator(_Paginator):
    """Pages of the first MOST_LISTED rows: there may be a hundred million, and nobody waits for them to be counted."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_LISTED].count())

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows, or as many, as it has pages for."""
        return self.count >= MOST_LISTED


class _Titled(admin.FieldListFilter):
    """In the reader's language: titles are made of fields' names."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.title = gettext(str(self.title))


class EmptyFilter(_Titled, admin.EmptyFieldListFilter):
    """Django's, whether there is a value."""


class ChoiceFilter(_Titled, admin.ChoicesFieldListFilter):
    """Django's, by choices, whose labels are made of their names."""

    def choices(self, changelist: Any) -> Any:
        for each in super().choices(changelist):
            yield {**each, "display": gettext(str(each["display"]))}


admin.FieldListFilter.register(lambda field: bool(field.choices), ChoiceFilter, take_priority=True)
