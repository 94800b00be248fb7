"""What became of each Idempotency-Key."""

from typing import ClassVar

from django.db import models

from payments.models.withdrawal import Withdrawal


class IdempotencyKey(models.Model):
    """One key of one caller; written in the transaction of the act itself, so it exists if and only if the act does.

    `request` maps each field of the request to a keyed digest: enough to name what differs, nothing that can leak.
    `status` and `body` are the final answer; both are null while the withdrawal is pending.
    """

    scope = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=255)
    request = models.JSONField()
    withdrawal = models.OneToOneField(
        Withdrawal, on_delete=models.PROTECT, null=True, related_name="idempotency_key", db_constraint=False
    )
    status = models.SmallIntegerField(null=True)
    body = models.TextField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_of_scope")]

    def __str__(self) -> str:
        return f"key {self.key} of {self.scope}"
