"""Who withdraws, and where the money goes."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.account_cipher import number_of
from payments.formats import identifier


class Merchant(models.Model):
    """A business that may withdraw once staff approved it."""

    class State(models.TextChoices):
        PENDING = "pending"
        APPROVED = "approved"
        REFUSED = "refused"
        SUSPENDED = "suspended"
        CLOSED = "closed"

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="merchant")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    state_reason = models.CharField(max_length=500, blank=True, default="")
    requested_credit = models.DecimalField(max_digits=20, decimal_places=2)
    bank_account = models.CharField(max_length=34)
    account_encrypted = models.CharField(max_length=200, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    state_changed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("merchant"), _("merchants")
        permissions: ClassVar = [("decide_merchant", "Can decide about merchants and their limits")]
        indexes: ClassVar = [models.Index(fields=["state", "created_at", "id"], name="merchant_by_state")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["pending", "approved", "refused", "suspended", "closed"]),
                name="merchant_state_known",
            ),
            models.CheckConstraint(condition=Q(requested_credit__gte=0), name="merchant_request_not_negative"),
            models.CheckConstraint(
                condition=~Q(bank_account="") | ~Q(account_encrypted=""), name="merchant_has_account_number"
            ),
        ]

    def __str__(self) -> str:
        about = {"id": identifier(self.pk), "state": gettext(self.get_state_display())}
        return gettext("merchant %(id)s (%(state)s)") % about

    @property
    def account_number(self) -> str:
        """The bank account, for its order and its fingerprint; everybody else is shown `mask_account` of it.

        The same column as payments_decide gives, so that an order is the same whoever sends it.
        """
        return number_of(self.bank_account or self.account_encrypted)


class WalletAccount(models.Model):
    """The bank account that an approved merchant's withdrawals are paid to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    merchant = models.OneToOneField(Merchant, on_delete=models.PROTECT, related_name="wallet_account")
    bank_account = models.CharField(max_length=34)
    account_encrypted = models.CharField(max_length=200, default="", db_default="")
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(bank_account="") | ~Q(account_encrypted=""), name="wallet_account_has_number"
            ),
        ]

    def __str__(self) -> str:
        return f"wallet account {self.pk}"

    @property
    def account_number(self) -> str:
        """As a merchant's."""
        return number_of(self.bank_account or self.account_encrypted)
