"""The committed documents that are made from the charts: schemas, READMEs' values, who may reach whom."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from etebar_deploy.chart import CHART, LOADTEST, OBSERVABILITY
from etebar_deploy.chart_readme import values_tables
from etebar_deploy.marked import with_part
from etebar_deploy.network_table import security_tables
from etebar_deploy.values_file import read_values
from etebar_deploy.values_schema import values_schema
from etebar_quickstart import documents
from etebar_quickstart.paths import REPOSITORY
from etebar_quickstart.printer import Printer

CHARTS = (CHART, OBSERVABILITY, LOADTEST)
SECURITY = REPOSITORY / "docs" / "security.md"


def run(printer: Printer, *, check: bool) -> None:
    """Writes the documents; with `check` writes none and raises QuickstartError naming those that are stale."""
    documents.write(printer, DOCUMENTS, check=check, source="the chart")
    printer.done("the chart's documents are what the chart says")


def _schema(chart: Path) -> str:
    return values_schema(read_values(chart / "values.yaml"))


def _readme(chart: Path) -> str:
    return with_part((chart / "README.md").read_text(), "values", values_tables(read_values(chart / "values.yaml")))


def _security() -> str:
    return with_part(SECURITY.read_text(), "who may reach whom", security_tables())


# the schemas first: Helm reads one when the tables are made
DOCUMENTS: dict[Path, Callable[[], str]] = {
    **{chart / "values.schema.json": partial(_schema, chart) for chart in CHARTS},
    **{chart / "README.md": partial(_readme, chart) for chart in CHARTS},
    SECURITY: _security,
}
