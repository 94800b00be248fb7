"""How a field of a row is shown in lists and on pages: in the reader's language, and rows that it names as links."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    Field,
    ForeignKey,
    IntegerField,
    JSONField,
    Model,
)
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, gettext_lazy

from payments import formats

if TYPE_CHECKING:
    _ForeignKey = ForeignKey[Any, Any]

# the first that the field is one of
_FORMATS: "tuple[tuple[type[Field[Any, Any]], Callable[[Any], str]], ...]" = (
    (DateTimeField, formats.moment),
    (DateField, formats.day),
    (DecimalField, formats.money),
    (IntegerField, formats.identifier),
    (JSONField, lambda members: json.dumps(members, ensure_ascii=False)),
    (ArrayField, ", ".join),
)
Column = str | Callable[[Any], Any]


def column_of(name: str, model_admin: "admin.ModelAdmin[Any]", request: HttpRequest) -> Column:
    """What shows the field of that name; a name that is no field's is left to the admin."""
    for field in model_admin.opts.concrete_fields:
        if name == field.name:
            return _of_row(field, model_admin, request) if isinstance(field, ForeignKey) else _of_value(field)
        if name == field.attname:
            return _of_key(field)
    return name


def _of_row(field: "_ForeignKey", model_admin: "admin.ModelAdmin[Any]", request: HttpRequest) -> Column:
    """The row that another one names, with a link to its page where there is one and the reader may see it."""
    model: Any = field.related_model
    site, options = model_admin.admin_site, model._meta  # noqa: SLF001 - Django's name for what everybody may use
    is_linked = site.is_registered(model) and site.get_model_admin(model).has_view_permission(request)
    address = f"{site.name}:{options.app_label}_{options.model_name}_change"

    def shown(row: Model) -> Any:
        other = getattr(row, field.name)
        if other is None or not is_linked:
            return formats.NOTHING if other is None else other
        return format_html('<a href="{}">{}</a>', reverse(address, args=[other.pk]), other)

    return _named(field.name, field.verbose_name, field.name, shown)


def _of_value(field: "Field[Any, Any]") -> Column:
    def shown(row: Model) -> Any:
        if field.choices:
            label: Any = getattr(row, f"get_{field.name}_display")()
            return gettext(str(label))
        return _formatted(field, getattr(row, field.name))

    return _named(field.name, field.verbose_name, field.name, shown, boolean=isinstance(field, BooleanField))


def _of_key(field: Any) -> Column:
    def shown(row: Model) -> Any:
        return _formatted(field.target_field, getattr(row, field.attname))

    return _named(field.attname, f"{field.verbose_name} id", field.name, shown)


def _formatted(field: "Field[Any, Any]", value: Any) -> Any:
    """As the reader's language has it; what no format knows, and nothing, as they are."""
    written = next((each for kind, each in _FORMATS if isinstance(field, kind)), None)
    if value is None:
        return formats.NOTHING
    return value if written is None else written(value)


def _named(
    name: str, label: Any, ordering: str, shown: Callable[[Model], Any], *, boolean: bool | None = None
) -> Column:
    # the name is the column's class in the page
    shown.__name__ = name
    display = admin.display(description=gettext_lazy(str(label)), ordering=ordering, boolean=boolean or None)
    return display(shown)
