"""The money transaction for lists of hundreds: payments_reserve, payments_reserve_all and payments_confirm anew."""

from django.db import migrations

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_references")]
    operations = [run_sql_file("0006_money_lists.sql")]
