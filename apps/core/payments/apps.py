"""The app that owns the tables payments_*."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy

from core.environment import ENVIRONMENT


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = gettext_lazy("Payments")

    def ready(self) -> None:
        # its settings name one key; every token asks this module's attribute for its keys
        from rest_framework_simplejwt import state

        from core.token_keys import KeyRing

        others = (key.get_secret_value() for key in ENVIRONMENT.jwt_signing_keys_previous)
        state.token_backend = KeyRing(ENVIRONMENT.jwt_signing_key.get_secret_value(), others)
