"""Keyset pagination: stable while rows are added, the same cost on every page."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from rest_framework.request import Request

from etebar_common.problems import CursorInvalid

DEFAULT_PAGE_SIZE = 50
MAXIMUM_PAGE_SIZE = 200

M = TypeVar("M", bound=Model)


def _encode(position: Any, primary_key: Any) -> str:
    text = json.dumps([str(position), str(primary_key)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, model: type[Model], order_by: str) -> tuple[Any, Any]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position, primary_key = json.loads(raw)
        fields: tuple[Field[Any, Any], Any] = (model._meta.get_field(order_by), model._meta.pk)  # type: ignore[assignment] # noqa: SLF001
        return _value(fields[0], position), _value(fields[1], primary_key)
    except (ValueError, TypeError, binascii.Error, ValidationError) as error:
        raise CursorInvalid("the cursor cannot be read; follow `next` as it was given") from error


def _value(field: Any, text: object) -> Any:
    if not isinstance(text, str):
        raise TypeError("a cursor holds strings")
    value = field.to_python(text)
    field.get_prep_value(value)
    field.run_validators(value)
    return value


def paginate(
    request: Request,
    queryset: QuerySet[M],
    represent: Callable[[M], dict[str, Any]],
    *,
    query: dict[str, Any],
    order_by: str = "created_at",
) -> dict[str, Any]:
    """One page, newest first: `{"results": [...], "next": path or null}`.

    `query` are the validated query parameters; `limit` and `cursor` are taken from it. Raises CursorInvalid.
    """
    limit = query.get("limit") or DEFAULT_PAGE_SIZE
    if cursor := query.get("cursor"):
        position, primary_key = _decode(cursor, queryset.model, order_by)
        queryset = queryset.filter(
            Q(**{f"{order_by}__lte": position}) & (Q(**{f"{order_by}__lt": position}) | Q(pk__lt=primary_key))
        )
    rows = list(queryset.order_by(f"-{order_by}", "-pk")[: limit + 1])
    page = rows[:limit]
    following = None
    if len(rows) > limit:
        parameters = {name: value for name, value in request.query_params.items() if name != "cursor"}
        parameters["cursor"] = _encode(getattr(page[-1], order_by), page[-1].pk)
        following = f"{request.path}?{urlencode(parameters)}"
    return {"results": [represent(row) for row in page], "next": following}
