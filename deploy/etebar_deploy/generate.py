"""The committed documents that are made from the chart: its schema, its README's values, who may reach whom."""

from collections.abc import Callable
from pathlib import Path

from etebar_deploy.chart import CHART
from etebar_deploy.chart_readme import values_tables
from etebar_deploy.marked import with_part
from etebar_deploy.network_table import security_tables
from etebar_deploy.values_file import read_values
from etebar_deploy.values_schema import values_schema
from etebar_quickstart import documents
from etebar_quickstart.paths import REPOSITORY
from etebar_quickstart.printer import Printer

SCHEMA = CHART / "values.schema.json"
README = CHART / "README.md"
SECURITY = REPOSITORY / "docs" / "security.md"


def run(printer: Printer, *, check: bool) -> None:
    """Writes the documents; with `check` writes none and raises QuickstartError naming those that are stale."""
    documents.write(printer, DOCUMENTS, check=check, source="the chart")
    printer.done("the chart's documents are what the chart says")


def _schema() -> str:
    return values_schema(read_values(CHART / "values.yaml"))


def _readme() -> str:
    return with_part(README.read_text(), "values", values_tables(read_values(CHART / "values.yaml")))


def _security() -> str:
    return with_part(SECURITY.read_text(), "who may reach whom", security_tables())


# the schema first: Helm reads it when the tables are made
DOCUMENTS: dict[Path, Callable[[], str]] = {SCHEMA: _schema, README: _readme, SECURITY: _security}
