"""A withdrawal keeps the traceparent of its request."""

from django.db import migrations, models

from payments.migrations._sqlfile import run_sql_file


class Migration(migrations.Migration):
    dependencies = [("payments", "0008_onboarding")]
    operations = [
        migrations.AddField(
            model_name="withdrawal",
            name="trace_parent",
            field=models.CharField(editable=False, max_length=55, null=True),
        ),
        run_sql_file("0009_trace_parent.sql"),
    ]
