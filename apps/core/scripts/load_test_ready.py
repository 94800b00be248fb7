"""manage.py shell < scripts/load_test_ready.py: tells locust that tokens are there (charts/etebar-loadtest)."""

from payments.sandbox.load_test import tell_ready

tell_ready()
