"""Staff's second factor: the application's rights to django-otp's table, and an audit of it."""

from django.db import migrations

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0013_bank_statements"),
        ("otp_totp", "0003_add_timestamps"),
    ]
    operations = [run_sql_file("0014_totp.sql")]
