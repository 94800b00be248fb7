"""What the field for searching finds: by indexes, as tables have a hundred million rows."""

from collections.abc import Iterable
from functools import reduce
from operator import and_, or_
from typing import Any

from django.contrib.admin.utils import get_fields_from_path
from django.core.exceptions import ValidationError
from django.db.models import IntegerField, Model, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from payments import formats

NOTHING = Q(pk__in=())


def any_of(model: type[Model], names: Iterable[str], term: str) -> Q:
    """Rows that are exactly the term in a field whose name begins with `=`, or have all of its words in the others."""
    found, others = NOTHING, []
    for name in names:
        if name.startswith("="):
            found |= exactly(model, name.removeprefix("="), term)
        else:
            others.append(f"{name}__icontains")
    if others:
        found |= reduce(and_, (reduce(or_, (Q((name, word)) for name in others)) for word in term.split()))
    return found


def exactly(model: type[Model], name: str, term: str) -> Q:
    """Rows whose field is the term, and not its upper case as Django would have it; none when it is no value of it."""
    field: Any = get_fields_from_path(model, name)[-1]
    try:
        return Q((name, field.to_python(formats.latin_digits(term) if isinstance(field, IntegerField) else term)))
    except ValidationError:
        return NOTHING


def latest(rows: "QuerySet[Any]", most: int, least: Any) -> Q:
    """The last so many of the rows by their keys, which begin after `least`."""
    before: Any = rows.order_by("-pk").values("pk")[most : most + 1]
    return Q(pk__gt=Coalesce(Subquery(before), Value(least)))
