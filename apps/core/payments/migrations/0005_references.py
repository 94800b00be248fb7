"""References of the books are checked by statement, not by row."""

import django.db.models.deletion
from django.db import migrations, models

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_grants")]
    operations = [
        migrations.AlterField(
            "withdrawal",
            "merchant",
            models.ForeignKey(
                to="payments.merchant",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="withdrawals",
                db_index=False,
                db_constraint=False,
            ),
        ),
        migrations.AlterField(
            "withdrawal",
            "wallet_account",
            models.ForeignKey(
                to="payments.walletaccount",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                db_index=False,
                db_constraint=False,
            ),
        ),
        migrations.AlterField(
            "idempotencykey",
            "withdrawal",
            models.OneToOneField(
                to="payments.withdrawal",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="idempotency_key",
                db_constraint=False,
            ),
        ),
        migrations.AlterField(
            "ledgerentry",
            "withdrawal",
            models.ForeignKey(
                to="payments.withdrawal",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="ledger_entries",
                db_index=False,
                db_constraint=False,
            ),
        ),
        run_sql_file("0005_references.sql"),
    ]
