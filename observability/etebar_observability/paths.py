"""Where what is generated and checked lives."""

from etebar_quickstart.paths import REPOSITORY

FILES = REPOSITORY / "charts" / "etebar-observability" / "files"
DASHBOARDS = FILES / "dashboards"
RULES = FILES / "rules"
RULE_TESTS = REPOSITORY / "observability" / "rule_tests"
RUNBOOKS = REPOSITORY / "docs" / "runbooks"

# the chart puts its value in place of this very text, in rules and dashboards
RUNBOOK_URL = "https://github.com/etebar/etebar/blob/main/docs/runbooks/"
