"""Filters of the console's templates."""

from typing import Any

from django import template
from django.contrib.admin.views.main import PAGE_VAR

from payments import formats

register = template.Library()
register.filter("money", formats.money)
register.filter("moment", formats.moment)
register.filter("number", formats.number)
register.filter("digits", formats.digits)


@register.simple_tag
def page_query(changelist: Any, number: int) -> str:
    """The query of a list's page, beside its filters and search."""
    return str(changelist.get_query_string({PAGE_VAR: number}))
