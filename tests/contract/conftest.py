"""Each operation of a document is a test of its own."""

import pytest
from schemathesis.pytest.plugin import SchemathesisFunction


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Names them apart: of those that share a node id, pytest-xdist runs one and forgets the others."""
    for item in items:
        if isinstance(item, SchemathesisFunction):
            item._id = item.id.with_params(item.operation_label)  # noqa: SLF001 - schemathesis leaves it out
