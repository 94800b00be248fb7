"""Who decided what: kept for ever, written in the transaction of the decision itself."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One decision. `actor` is `staff:<username>`, `operator:<namespace>/<name>`, or `command:<name>` (`user_id` 0);
    `detail` never holds a secret.

    Beside decisions: `log_in` and `log_in_failed` of staff, and `refresh_token_reused` (`actor` is `user:<username>`).

    `staff_made`, `staff_changed` and `staff_removed` are written by triggers on auth_user: `actor` is then
    `database:<role>`, `user_id` the account that changed, and who held the role is not known.
    """

    actor = models.CharField(max_length=400)
    user_id = models.BigIntegerField()
    action = models.CharField(max_length=40)
    merchant_id = models.BigIntegerField(null=True)
    detail = models.JSONField()
    request_id = models.CharField(max_length=128)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("audit entry"), _("audit entries")
        indexes: ClassVar = [
            models.Index(fields=["merchant_id", "id"], name="audit_of_merchant"),
            models.Index(fields=["request_id"], name="audit_of_request"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action}"
