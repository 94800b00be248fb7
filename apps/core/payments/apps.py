"""The app that owns the tables payments_*."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
