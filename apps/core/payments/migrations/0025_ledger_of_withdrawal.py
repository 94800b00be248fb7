"""Where in the ledger a withdrawal is: an index that costs next to nothing, made while money moves."""

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):
    # CONCURRENTLY is refused within a transaction
    atomic = False

    dependencies = [("payments", "0024_api_keys")]

    operations = [
        AddIndexConcurrently(
            "ledgerentry",
            BrinIndex(
                fields=["withdrawal"],
                opclasses=["uuid_minmax_multi_ops"],
                autosummarize=True,
                name="ledger_of_withdrawal",
            ),
        )
    ]
