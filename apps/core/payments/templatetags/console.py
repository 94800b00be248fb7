"""Filters of the console's templates."""

from django import template

from payments import formats

register = template.Library()
register.filter("money", formats.money)
register.filter("moment", formats.moment)
register.filter("number", formats.number)
