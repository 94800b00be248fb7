"""payments_recover: a withdrawal that a restored database lacks, made again from settlement's payout."""

from django.db import migrations

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("payments", "0011_money_decisions")]
    operations = [run_sql_file("0012_recovery.sql")]
