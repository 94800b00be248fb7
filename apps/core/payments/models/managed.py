"""Merchants that are kept as Kubernetes objects."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from payments.models.merchant import Merchant


class ManagedMerchant(models.Model):
    """Which object keeps a merchant, and what it last wished.

    `object_created_at` and `generation` order the object's wishes; `credit_limit` is what it last had in force;
    `suspended_at` is the `state_changed_at` of a suspension that it made, null after it took it back. `password_digest`
    is keyed; `password_hash` is the user's as it was set, so that a password changed by anybody else shows;
    `credentials_version` is the highest that came with a password.
    """

    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    username = models.CharField(max_length=150)
    merchant = models.OneToOneField(Merchant, on_delete=models.PROTECT, related_name="managed")
    uid = models.CharField(max_length=64)
    object_created_at = models.DateTimeField()
    generation = models.BigIntegerField()
    credit_limit = models.DecimalField(max_digits=20, decimal_places=2, null=True)
    suspended_at = models.DateTimeField(null=True)
    password_digest = models.CharField(max_length=64, default="")
    password_hash = models.CharField(max_length=128, default="")
    credentials_version = models.BigIntegerField(default=0, db_default=0)
    released_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("merchant kept by an object"), _("merchants kept by objects")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["namespace", "name", "username"], name="managed_merchant_of_object")
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
