"""Reads request bodies: UTF-8 JSON objects of limited size and nothing else."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.parsers import BaseParser

from core.body_limits import LARGEST_BODY_BYTES, body_limit_bytes
from etebar_common.problems import BodyTooLarge, MalformedRequest


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedRequest(f"{name} is not JSON")


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedRequest("a member name is repeated in an object")
    return members


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated_names)


class StrictJSONParser(BaseParser):
    """Parses application/json; what two readers could read differently is refused."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - the signature of BaseParser
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = body_limit_bytes(parser_context["request"].path) if parser_context else LARGEST_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"the body has more than {limit} bytes")
        return parse_json(body)


def parse_json(body: bytes) -> Any:
    """The value that the body is; raises MalformedRequest."""
    try:
        text = body.decode("utf-8")
        value = _DECODER.decode(text)
        if "\\" in text:
            # an escaped lone surrogate passes the parser but is not text that can be stored
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(f"the body is not JSON in UTF-8: {error}") from error
    return value
