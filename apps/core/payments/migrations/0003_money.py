"""The money transaction: payments_reserve and payments_confirm."""

from django.db import migrations

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_guards")]
    operations = [run_sql_file("0003_money.sql")]
