"""What the console and merchants look for in the log of deliveries and the bank's lines; made while money moves."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # CONCURRENTLY is refused within a transaction
    atomic = False

    dependencies = [("payments", "0025_ledger_of_withdrawal")]

    operations = [
        AddIndexConcurrently(
            "webhookdelivery",
            models.Index(fields=["endpoint", "created_at", "id"], condition=models.Q(state="dead"), name="webhook_dead"),
        ),
        AddIndexConcurrently(
            "webhookdelivery",
            BrinIndex(
                fields=["withdrawal"],
                opclasses=["uuid_minmax_multi_ops"],
                autosummarize=True,
                name="webhook_of_withdrawal",
            ),
        ),
        AddIndexConcurrently(
            "bankstatementline", models.Index(fields=["reference"], name="bank_line_by_reference")
        ),
        AddIndexConcurrently(
            "bankstatementline", models.Index(fields=["bank_reference"], name="bank_line_by_bank_reference")
        ),
    ]
