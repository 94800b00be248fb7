"""Migrations whose SQL stands in files of its own beside them."""

from pathlib import Path

from django.db import migrations


def run_sql_file(name: str) -> migrations.RunSQL:
    """A forward-only operation that runs sql/NAME: these guards are never taken down."""
    return migrations.RunSQL((Path(__file__).parent / "sql" / name).read_text(), elidable=False)
