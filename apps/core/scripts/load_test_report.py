"""manage.py shell < scripts/load_test_report.py: a load test's report, with the books (charts/etebar-loadtest)."""

from payments.sandbox.load_test import report

report()
