"""An audit of staff's accounts, and the order of credentials."""

from django.db import migrations, models

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0009_trace_parent'),
    ]

    operations = [
        run_sql_file("0010_staff.sql"),
        migrations.AddField(
            model_name='managedmerchant',
            name='credentials_version',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        # 0008 grants the application's role the table, and the auditor columns, for two of them are secrets
        migrations.RunSQL("GRANT SELECT (credentials_version) ON payments_managedmerchant TO etebar_audit", elidable=False),
    ]
