"""Every API request: who asked what, when, and with which outcome. Never a body, password or token."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class ApiRequestLog(models.Model):
    """One request.

    `status` and `duration_ms` are null while a withdrawal's request is under way, and stay so when the process died
    then.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    request_id = models.CharField(max_length=128)
    method = models.CharField(max_length=16)
    path = models.CharField(max_length=255)
    status = models.SmallIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    merchant_id = models.BigIntegerField(null=True)
    remote_address = models.CharField(max_length=45)
    idempotency_key = models.CharField(max_length=255, null=True)
    withdrawal_id = models.UUIDField(null=True)
    duration_ms = models.IntegerField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("request to the API"), _("requests to the API")
        indexes: ClassVar = [models.Index(fields=["request_id"], name="request_log_request_id")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"
