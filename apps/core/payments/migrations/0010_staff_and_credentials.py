"""An audit of staff's accounts, and the order of credentials."""

from django.db import migrations

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0008_onboarding'),
    ]

    operations = [
        run_sql_file("0010_staff.sql"),
    ]
