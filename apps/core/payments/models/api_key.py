"""Keys by which a merchant's programs ask, beside the password of its people."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.models.merchant import Merchant
from payments.models.naming import named


class ApiKey(models.Model):
    """`id` is in the key itself (`etk_<id>_<secret>`); of the whole key a SHA-256 digest is kept, and shown it is once.

    `previous_digest` is that of the key before, which is good until `previous_until`; `current_used_at` is when the
    current one was first used. Times are null for never.
    """

    id = models.CharField(primary_key=True, max_length=16)
    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=100)
    scopes = ArrayField(models.CharField(max_length=40))
    digest = models.CharField(max_length=64)
    previous_digest = models.CharField(max_length=64, blank=True, default="")
    previous_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    current_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("API key"), _("API keys")
        indexes: ClassVar = [models.Index(fields=["merchant", "created_at"], name="api_key_of_merchant")]

    def __str__(self) -> str:
        return named(self)
