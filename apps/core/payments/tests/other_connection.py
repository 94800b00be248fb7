"""A second connection to the test database, for what another process or another role would do."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg2
from django.db import connection

from payments.idempotency.identity import digest_fields


@contextmanager
def connected(user: str | None = None, password: str | None = None) -> Iterator[Any]:
    """A psycopg2 connection; as the owner's role unless another is named."""
    settings = connection.settings_dict
    other = psycopg2.connect(
        host=settings["HOST"],
        port=settings["PORT"],
        dbname=settings["NAME"],
        user=user or settings["USER"],
        password=password or settings["PASSWORD"],
    )
    try:
        yield other
    finally:
        other.close()


@contextmanager
def holding_key(
    scope: str, key: str, fields: Mapping[str, str], *, path: str = "/api/v1/withdrawals"
) -> Iterator[None]:
    """As if a request with this key were running in another process."""
    amounts = {name: Decimal(value) for name, value in fields.items()}
    digests = digest_fields({"method": "POST", "path": path, **amounts})
    with connected() as other, other.cursor() as cursor:
        cursor.execute("SELECT payments_try_key(%s, %s, %s)", [scope, key, json.dumps(digests)])
        assert cursor.fetchone()[0] is None
        yield
