"""Serializers that refuse what they do not know, and fields that money and keys need."""

from decimal import Decimal
from typing import Any

from django.core.validators import RegexValidator
from django.http import QueryDict
from rest_framework import serializers

from etebar_common.money import CENT, parse_amount, parse_signed_amount

BIGINT_MAXIMUM = 2**63 - 1
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer whose body is an object with its own fields and no other."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict):
            unknown = set(data) - set(self.fields)
            if unknown:
                known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
                raise serializers.ValidationError(
                    {name: [f"is not known here; known are: {known}"] for name in sorted(unknown)}
                )
        return super().to_internal_value(data)


class NothingSerializer(StrictSerializer):
    """An empty object."""


class AmountField(serializers.Field[Decimal, str, str, Any]):
    """A decimal string, at most two places; a JSON number is refused."""

    def __init__(self, *, allow_zero: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allow_zero = allow_zero

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return parse_amount(data, allow_zero=self.allow_zero)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: Decimal) -> str:
        return str(value.quantize(CENT))


class SignedAmountField(AmountField):
    """The same with a sign."""

    def to_internal_value(self, data: Any) -> Decimal:
        try:
            return parse_signed_amount(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class TextField(serializers.CharField):
    """Text of one line, taken as it is; `pattern` (a regular expression that OpenAPI understands, too) narrows it."""

    def __init__(
        self,
        *,
        pattern: str = ONE_LINE,
        expected: str = "text without control characters",
        **kwargs: Any,
    ) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})
        self.pattern = pattern
        self.validators.append(RegexValidator(pattern.removesuffix("$") + r"\Z", f"is not right; expected {expected}"))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("is not a string")
        return super().to_internal_value(data)


class StrictBooleanField(serializers.BooleanField):
    """true or false, and not what other languages take for one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            raise serializers.ValidationError("is not true or false")
        return data


class AnyListField(serializers.ListField):
    """A list whose items are looked at by whoever answers them."""

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            raise serializers.ValidationError("is not a list")
        return data


class IdField(serializers.IntegerField):
    """An integer id; strings, fractions and booleans are refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, max_value=BIGINT_MAXIMUM, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        # 7.0 is an integer to JSON Schema
        is_integer = isinstance(data, int) or (isinstance(data, float) and data.is_integer())
        if not is_integer or isinstance(data, bool):
            raise serializers.ValidationError("is not an integer")
        return super().to_internal_value(int(data))


def validated(serializer_class: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """The validated fields of a body or a query; raises rest_framework's ValidationError, naming each wrong field."""
    if isinstance(data, QueryDict):
        data = _single_values(data)
    serializer = serializer_class(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _single_values(query: QueryDict) -> dict[str, Any]:
    repeated = {name: ["is given more than once"] for name, values in query.lists() if len(values) > 1}
    if repeated:
        raise serializers.ValidationError(repeated)
    return query.dict()
